package terraformd

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
)

// webhook is what Bitbucket calls at a push. Native webhooks are signed with the
// secret they were given; the old plugin's are not. Those of policy sets and
// registry modules are not found: here, these follow no push.
func (s *Server) webhook(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	if err != nil {
		http.Error(w, "reading the body", http.StatusBadRequest)
		return
	}
	hook := r.PathValue("hook")
	var o *organization
	var found *workspace
	var linked repo
	_ = s.read(func() error {
		if found = s.index.spaces[hook]; found != nil && found.Repo != nil && found.Repo.Hook == hook {
			o, linked = s.index.owner[found.ID], *found.Repo
		}
		return nil
	})
	switch {
	case o == nil:
		http.NotFound(w, r)
		return
	case linked.HookID != "" && !signedBy(linked.HookSecret, data, r.Header.Get("X-Hub-Signature")):
		http.Error(w, "wrong signature", http.StatusUnauthorized)
		return
	}
	if key := r.Header.Get("X-Event-Key"); key == "" || key == "repo:refs_changed" { // the plugin sends no key
		s.fetch(o, found)
	}
	w.WriteHeader(http.StatusOK)
}

func signedBy(key kept, data []byte, signature string) bool {
	sum, ok := strings.CutPrefix(signature, "sha256=")
	have, err := hex.DecodeString(sum)
	mac := hmac.New(sha256.New, []byte(key.Reveal()))
	mac.Write(data)
	return ok && err == nil && hmac.Equal(have, mac.Sum(nil))
}
