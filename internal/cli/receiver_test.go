package cli

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/rogpeppe/go-internal/testscript"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

const hookSecret = "canary-hook-secret"

// receiver starts a server that takes notifications and metrics as a chat and a
// Pushgateway do, and sets $HOOK, $HOOK_SECRET and $GATEWAY. What it took is in
// hook.txt, a message after the other, and in pushed.txt, the last push.
// "receiver fails N" refuses the next N notifications.
func receiver(ts *testscript.TestScript, _ bool, args []string) {
	r := ts.Value(receiverKey{}).(*received) //nolint:forcetypeassert // setUp put it there
	if len(args) == 2 && args[0] == "fails" {
		r.mu.Lock()
		defer r.mu.Unlock()
		_, err := fmt.Sscan(args[1], &r.refuse)
		ts.Check(err)
		return
	}
	r.dir = ts.MkAbs(".")
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hook/{secret}", r.hook)
	mux.HandleFunc("/metrics/job/{key...}", r.push)
	mux.HandleFunc("POST /v1/traces", r.traces)
	server := httptest.NewServer(mux)
	ts.Defer(func() {
		server.Close()
		ts.Check(errors.Join(r.errs...))
	})
	ts.Setenv("HOOK", server.URL+"/hook/canary-in-the-path")
	ts.Setenv("HOOK_SECRET", hookSecret)
	ts.Setenv("GATEWAY", server.URL)
	for _, name := range []string{"hook.txt", "traces.txt"} {
		ts.Check(os.WriteFile(filepath.Join(r.dir, name), nil, 0o600))
	}
}

type receiverKey struct{}

type received struct {
	dir string

	mu     sync.Mutex
	refuse int
	errs   []error
}

// hook takes a message whose signature fits.
func (r *received) hook(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(req.Body)
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write([]byte(req.Header.Get("X-Bbsync-Timestamp") + "." + string(body)))
	if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); req.Header.Get("X-Bbsync-Signature") != want {
		err = errors.Join(err, fmt.Errorf("signature %q, want %q", req.Header.Get("X-Bbsync-Signature"), want))
	}
	var message struct {
		Text string `json:"text"`
	}
	err = errors.Join(err, json.Unmarshal(body, &message))
	if err != nil {
		r.errs = append(r.errs, err)
		http.Error(w, "bad message", http.StatusBadRequest)
		return
	}
	if r.refuse > 0 {
		r.refuse--
		http.Error(w, "not now", http.StatusForbidden)
		return
	}
	r.append("hook.txt", message.Text+"\n\n")
}

// push keeps the last push as text, with the method that tells whether it
// replaces or adds.
func (r *received) push(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var text strings.Builder
	fmt.Fprintln(&text, req.Method, req.PathValue("key"))
	decoder := expfmt.NewDecoder(req.Body, expfmt.ResponseFormat(req.Header))
	for {
		var family dto.MetricFamily
		err := decoder.Decode(&family)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			_, err = expfmt.MetricFamilyToText(&text, &family)
		}
		if err != nil {
			r.errs = append(r.errs, err)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	if err := os.WriteFile(filepath.Join(r.dir, "pushed.txt"), []byte(text.String()), 0o600); err != nil {
		r.errs = append(r.errs, err)
	}
}

// traces keeps each span: its trace, its name, its parent's name or id, and what
// it is about.
func (r *received) traces(_ http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(req.Body)
	var request collector.ExportTraceServiceRequest
	if err = errors.Join(err, proto.Unmarshal(body, &request)); err != nil {
		r.errs = append(r.errs, err)
		return
	}
	for _, resource := range request.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				var about []string
				for _, a := range s.GetAttributes() {
					about = append(about, a.GetKey()+"="+a.GetValue().GetStringValue())
				}
				r.append("traces.txt", fmt.Sprintf("%x parent=%x %s %s\n", s.GetTraceId(), s.GetParentSpanId(), s.GetName(), strings.Join(about, " ")))
			}
		}
	}
}

func (r *received) append(name, text string) {
	file, err := os.OpenFile(filepath.Join(r.dir, name), os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.WriteString(text)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		r.errs = append(r.errs, err)
	}
}
