package bitbucketd_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

const (
	links    = "/rest/applinks/3.0/applicationlink"
	linksV3  = "/rest/applinks/3.0/applinks"
	orgURL   = "https://app.terraform.io/app/my-org"
	orgID    = "bfa5e1ce-b0bf-36cb-946b-5be8e45c8577"
	mainURL  = "https://app.terraform.io"
	mainID   = "9355acee-2f33-3128-aaf3-73ac3bf1fdb6"
	oauthOf  = "/rest/applinks-oauth/1.0/applicationlink/"
	consumer = "/authentication/consumer"
)

func linkJSON(name, url string) string {
	return fmt.Sprintf(`{"id":null,"name":%q,"rpcUrl":%q,"displayUrl":%q,"typeId":"generic"}`, name, url, url)
}

func consumerJSON(key, public string) string {
	return fmt.Sprintf(`{"key":%q,"name":"Terraform","description":null,"sharedSecret":null,"publicKey":%q,"outgoing":false,`+
		`"twoLOAllowed":true,"executingTwoLOUser":null,"twoLOImpersonationAllowed":false}`, key, public)
}

// consumerKey is a pair made once; another asks for a second one.
var consumerKeys = sync.OnceValues(func() ([2]*rsa.PrivateKey, error) {
	a, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return [2]*rsa.PrivateKey{}, err
	}
	b, err := rsa.GenerateKey(rand.Reader, 2048)
	return [2]*rsa.PrivateKey{a, b}, err
})

func consumerPair(t *testing.T, n int) (*rsa.PrivateKey, string) {
	t.Helper()
	keys, err := consumerKeys()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(keys[n].Public())
	if err != nil {
		t.Fatal(err)
	}
	return keys[n], string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func TestApplicationLinks(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	w.table([]row{
		{"needs admin", ann, "GET " + linksV3, "", 403, `{"status":403,"errors":[{"context":null,"summary":"`, nil},
		{"needs a login", "", "GET " + linksV3, "", 401, `{"status":401,"errors":[`, nil},
		{"needs admin by the other", ann, "GET " + links, "", 401, `"status-code":401`, nil},
		{"anonymous", "", "PUT " + links, linkJSON("x", orgURL), 401, `"status-code":401`, nil},
		{"empty", admin, "GET " + linksV3, "", 200, "[]", nil},
		{"unknown by one way", admin, "GET " + linksV3 + "/" + orgID, "", 404, `"errors"`, nil},
		{"unknown by the other", admin, "GET " + links + "/" + orgID, "", 500, "", nil},
		{"created", admin, "PUT " + links, linkJSON("Terraform (my-org)", orgURL+"/"), 201, `"resources-created":[{"href":"` + w.url + links + "/" + orgID, nil},
		{"once", admin, "PUT " + links, linkJSON("other", orgURL), 400, `"status":400`, nil},
		{"dot segments", admin, "PUT " + links, linkJSON("other", "https://app.terraform.io/app/x/../my-org"), 400, `"message":[`, nil},
		{"host case is another link", admin, "PUT " + links, linkJSON("upper", "https://App.terraform.io/app/my-org"), 201, "", nil},
		{"sent id is ignored", admin, "PUT " + links, strings.Replace(linkJSON("Terraform (my-org)", mainURL), "null", `"made-up"`, 1), 201, mainID, nil},
		{"renamed", admin, "GET " + linksV3 + "/" + mainID, "", 200, `"name":"Terraform (my-org) - 2"`, nil},
		{"first is primary", admin, "GET " + linksV3 + "/" + orgID, "", 200, `"primary":true`, nil},
		{"second is not", admin, "GET " + linksV3 + "/" + mainID, "", 200, `"primary":false,"system":false,"data":{},"properties":{}`, nil},
		{"unknown type", admin, "PUT " + links, strings.Replace(linkJSON("x", "https://x.example"), "generic", "toaster", 1), 400, "toaster", nil},
		{"no type", admin, "PUT " + links, `{"name":"x","rpcUrl":"https://x.example","displayUrl":"https://x.example"}`, 400, "", nil},
		{"no url", admin, "PUT " + links, linkJSON("x", "x"), 400, "", nil},
		{"unknown field", admin, "PUT " + links, `{"nom":"x"}`, 400, "nom", nil},
		{"no collection put in 1.0", admin, "PUT /rest/applinks/1.0/applicationlink", linkJSON("x", "https://x.example"), 405, "", nil},
		{"2.0", admin, "PUT /rest/applinks/2.0/applicationlink", linkJSON("x", "https://x.example"), 201, "", nil},
		{"entity", admin, "GET " + links + "/" + orgID, "", 200, `"typeId":"generic"`, nil},
		{"older list", admin, "GET /rest/applinks/latest/applicationlink", "", 200, `{"applicationLinks":[{"id":"` + orgID, nil},
		{"oldest list", admin, "GET /rest/applinks/1.0/listApplicationlinks", "", 200, `{"list":[{"appLinkState":"OK"`, nil},
		{"name taken", admin, "POST " + links + "/" + mainID, linkJSON("Terraform (my-org)", mainURL), 400, "already used", nil},
		{"url is fixed", admin, "POST " + links + "/" + mainID, linkJSON("n", "https://elsewhere.example"), 400, "cannot be changed", nil},
		{"update of nothing", admin, "POST " + links + "/nope", linkJSON("n", mainURL), 400, "", nil},
		{"update", admin, "POST " + links + "/" + mainID, linkJSON("New", mainURL), 200, `"resources-updated"`, nil},
		{"other update", admin, "PUT " + linksV3 + "/" + mainID, `{"id":"x","name":"Newer","rpcUrl":"` + mainURL + `","displayUrl":"` + mainURL + `"}`, 200, `"name":"Newer"`, nil},
		{"delete", admin, "DELETE /rest/applinks/1.0/applicationlink/" + mainID + "?reciprocate=false", "", 200, `{"status-code":200,"message":"Deleted application with id '` + mainID + `'"}`, nil},
		{"delete again", admin, "DELETE " + links + "/" + mainID, "", 404, `"status-code":404`, nil},
		{"other delete", admin, "DELETE " + linksV3 + "/" + orgID, "", 204, "", nil},
		{"other delete again", admin, "DELETE " + linksV3 + "/" + orgID, "", 404, "", nil},
	})
}

func TestLinksAreXMLUnlessAsked(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	xml := []string{"Accept", "*/*"}
	w.table([]row{
		{"created", admin, "PUT " + links, linkJSON("n", orgURL), 201, `<status><status-code>201</status-code><resources-created><link href="` + w.url + links + "/" + orgID + `" rel="self"></link></resources-created></status>`, xml},
		{"duplicate", admin, "PUT " + links, linkJSON("n", orgURL), 400, `<errorList><status>400</status>`, xml},
		{"list", admin, "GET " + links, "", 200, `<applicationLinks><applicationLinks><id>` + orgID, xml},
		{"forbidden", ann, "GET " + links, "", 401, `<status><status-code>401`, xml},
		{"always json", admin, "GET " + linksV3, "", 200, `[{"id"`, xml},
		{"manifest", "", "GET /rest/applinks/1.0/manifest", "", 200, `<manifest><id>`, xml},
	})
}

func TestOAuth2LinksAreInTheNewListOnly(t *testing.T) {
	for version, want := range map[string]int{"7.11.2": 1, "9.4.0": 2} {
		w := newWorld(t, bitbucketd.Options{Version: version})
		for _, l := range []bitbucketd.Link{{Name: "g", RPCURL: orgURL}, {ID: "client-1", Type: "oauth2", Name: "External", RPCURL: orgURL, OAuth2: true}} {
			_, err := w.AddLink(l)
			w.must(err)
		}
		if have := into[[]struct{ Type string }](w, w.as(admin, "GET", linksV3, "")); len(have) != want || have[0].Type != "generic" {
			t.Errorf("%s: %v", version, have)
		}
		w.want(w.as(admin, "GET", linksV3+"/client-1", ""), 404)
	}
}

func TestConsumers(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	_, public := consumerPair(t, 0)
	_, other := consumerPair(t, 1)
	path := oauthOf + orgID + consumer
	bare := strings.Join(strings.Split(strings.TrimSpace(public), "\n")[1:len(strings.Split(strings.TrimSpace(public), "\n"))-1], "")
	w.want(w.as(admin, "PUT", links, linkJSON("n", orgURL)), 201)
	w.table([]row{
		{"none", admin, "GET " + path, "", 404, "consumer", nil},
		{"no link", admin, "GET " + oauthOf + mainID + consumer, "", 404, "link", nil},
		{"no link to put", admin, "PUT " + oauthOf + mainID + consumer, consumerJSON("k", public), 404, "link", nil},
		{"needs admin", ann, "PUT " + path, consumerJSON("k", public), 401, `"status-code":401`, nil},
		{"no key", admin, "PUT " + path, consumerJSON("", public), 400, `"status":400`, nil},
		{"no public key", admin, "PUT " + path, consumerJSON("k", ""), 400, `"message":[`, nil},
		{"bad public key", admin, "PUT " + path, consumerJSON("k", "ssh-rsa AAAA"), 400, "Invalid public key", nil},
		{"not rsa", admin, "PUT " + path, consumerJSON("k", ed25519PEM), 400, "RSA", nil},
		{"outgoing", admin, "PUT " + path, strings.Replace(consumerJSON("k", public), `"outgoing":false`, `"outgoing":true`, 1), 400, "", nil},
		{"put", admin, "PUT " + path, consumerJSON("k", public), 201, `{"status-code":201,"resources-created":[{"href":"applicationlink/` + orgID + consumer + `","rel":"self"}]}`, nil},
		{"2LO is ignored", admin, "GET " + path, "", 200, `"signatureMethod":"RSA_SHA1"`, nil},
		{"bare base64", admin, "PUT " + path, consumerJSON("k", bare), 201, "", nil},
	})
	type list struct {
		Consumers []struct {
			Key, PublicKey string
			TwoLOAllowed   bool
			SharedSecret   json.RawMessage
		}
	}
	have := into[list](w, w.as(admin, "GET", path, "")).Consumers[0]
	if block, _ := pem.Decode([]byte(have.PublicKey)); block == nil || have.TwoLOAllowed || string(have.SharedSecret) != "null" {
		t.Errorf("have %+v", have)
	}
	if have.PublicKey == public {
		t.Error("the text came back as it was sent: comparing texts would go unnoticed")
	}
	// Another key leaves the old consumer alive; deleting the link takes only the new one.
	w.want(w.as(admin, "PUT", path, consumerJSON("k2", other)), 201)
	w.Inspect(func(st *bitbucketd.State) {
		if st.Consumers["k"] == nil || st.Consumers["k2"] == nil {
			t.Errorf("consumers: %v", st.Consumers)
		}
	})
	w.want(w.as(admin, "DELETE", linksV3+"/"+orgID, ""), 204)
	w.Inspect(func(st *bitbucketd.State) {
		if st.Consumers["k"] == nil || st.Consumers["k2"] != nil {
			t.Errorf("consumers: %v", st.Consumers)
		}
	})
}

const ed25519PEM = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"

func TestOldApplinks(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{Version: "4.9.1", OldApplinks: true})
	_, public := consumerPair(t, 0)
	old := "/rest/applinks/2.0/applicationlink"
	w.table([]row{
		{"no 3.0", admin, "GET " + linksV3, "", 404, "", nil},
		{"no 3.0 to put", admin, "PUT " + links, linkJSON("n", orgURL), 404, "", nil},
		{"no oauth module", admin, "GET " + oauthOf + orgID + consumer, "", 404, "", nil},
		{"2.0", admin, "PUT " + old, linkJSON("n", orgURL), 201, old + "/" + orgID, nil},
		{"consumer", admin, "PUT " + old + "/" + orgID + consumer, consumerJSON("k", public), 201, "", nil},
		{"read", admin, "GET " + old + "/" + orgID + consumer, "", 200, `"key":"k"`, nil},
	})
}
