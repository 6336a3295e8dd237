package vaulttest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/hashicorp/vault/api"
)

const (
	serviceAccount  = "bbsync"
	namespace       = "tools"
	serviceUsername = "system:serviceaccount:" + namespace + ":" + serviceAccount
)

// A Kubernetes is a role that Vault gives to the service account of a cluster
// that has nothing but the API for reviewing tokens.
type Kubernetes struct {
	Mount, Role string

	// ServiceToken is what a pod of that service account finds in its token file.
	ServiceToken string
}

// Kubernetes makes a role, and the cluster that Vault asks about tokens. The login
// method runs as a plug-in: the server was built without it, its binary has it.
func (s *Server) Kubernetes(t testing.TB, want Login) Kubernetes {
	t.Helper()
	cluster := newCluster(t)
	role := Kubernetes{
		Mount: s.enable(t, "kubernetes", s.plugin(t, "plugin-auth-kubernetes")), Role: "bbsync", ServiceToken: cluster.serviceToken(t),
	}
	s.write(t, "auth/"+role.Mount+"/config", map[string]any{
		"kubernetes_host": cluster.server.URL, "kubernetes_ca_cert": cluster.caCert(),
		"token_reviewer_jwt": cluster.reviewer, "disable_local_ca_jwt": true,
	})
	s.write(t, "auth/"+role.Mount+"/role/"+role.Role, want.with(map[string]any{
		"bound_service_account_names": serviceAccount, "bound_service_account_namespaces": namespace,
	}))
	return role
}

// plugin makes the server's own binary, started with an argument, a login method
// and returns its name. Clean-ups run last in first out, so that the method is
// disabled before its plug-in is forgotten.
func (s *Server) plugin(t testing.TB, argument string) string {
	t.Helper()
	binary, err := binaryPath()
	if err != nil {
		t.Fatal(err)
	}
	sum, err := fileSum(binary)
	if err != nil {
		t.Fatal(err)
	}
	name := unique(argument)
	err = s.Root.Sys().RegisterPluginWithContext(t.Context(), &api.RegisterPluginInput{
		Name: name, Type: api.PluginTypeCredential, Command: filepath.Base(binary), Args: []string{argument}, SHA256: sum,
	})
	if err != nil {
		t.Fatalf("preparing Vault: register %s: %v", name, err)
	}
	t.Cleanup(func() {
		s.tidy(t, s.Root.Sys().DeregisterPluginWithContext(context.Background(),
			&api.DeregisterPluginInput{Name: name, Type: api.PluginTypeCredential}))
	})
	return name
}

func fileSum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	_, err = io.Copy(hash, file)
	return hex.EncodeToString(hash.Sum(nil)), errors.Join(err, file.Close())
}

// A cluster answers /apis/authentication.k8s.io/v1/tokenreviews, for the reviewer
// that it knows and about the tokens that it signed.
type cluster struct {
	server   *httptest.Server
	issuer   Issuer
	reviewer string // the bearer token that Vault shows
	uid      string // the service account's
}

func newCluster(t testing.TB) *cluster {
	c := &cluster{issuer: newIssuer(t), reviewer: rand.Text(), uid: rand.Text()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /apis/authentication.k8s.io/v1/tokenreviews", c.review)
	c.server = httptest.NewTLSServer(mux)
	t.Cleanup(c.server.Close)
	return c
}

func (c *cluster) caCert() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.server.Certificate().Raw}))
}

// serviceToken has the claims of a projected service account token.
func (c *cluster) serviceToken(t testing.TB) string {
	t.Helper()
	now := time.Now()
	return c.issuer.sign(t, jwt.Claims{
		Issuer: "https://kubernetes.default.svc", Subject: serviceUsername,
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Hour)),
	}, map[string]any{"kubernetes.io": map[string]any{
		"namespace":      namespace,
		"serviceaccount": map[string]any{"name": serviceAccount, "uid": c.uid},
	}})
}

// A tokenReview is the part of Kubernetes' object of that name that Vault uses.
type tokenReview struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Spec       struct {
		Token string `json:"token"`
	} `json:"spec"`
	Status reviewStatus `json:"status"`
}

type reviewStatus struct {
	Authenticated bool         `json:"authenticated,omitempty"`
	Error         string       `json:"error,omitempty"`
	User          reviewedUser `json:"user,omitzero"`
}

type reviewedUser struct {
	Username string `json:"username"`
	UID      string `json:"uid"`
}

func (c *cluster) review(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+c.reviewer {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	var review tokenReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	review.Status = c.status(review.Spec.Token)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(review) // a reader that went away needs no answer
}

func (c *cluster) status(text string) reviewStatus {
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return reviewStatus{Error: err.Error()}
	}
	var claims jwt.Claims
	if err := token.Claims(c.issuer.key.Public(), &claims); err != nil {
		return reviewStatus{Error: err.Error()}
	}
	if err := claims.Validate(jwt.Expected{Subject: serviceUsername, Time: time.Now()}); err != nil {
		return reviewStatus{Error: err.Error()}
	}
	return reviewStatus{Authenticated: true, User: reviewedUser{Username: claims.Subject, UID: c.uid}}
}
