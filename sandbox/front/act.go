package front

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strconv"
)

// serve handles the request, with the faults that hit it.
func (f *Front) serve(w http.ResponseWriter, r *http.Request) {
	hit, remember := f.faults.match(r)
	if len(hit) == 0 && len(remember) == 0 {
		f.next.ServeHTTP(w, r)
		return
	}
	var worst *order
	var after []func(*http.Request)
	for _, o := range hit {
		switch o.Kind {
		case Delay:
			if !sleep(r.Context(), o.Delay) {
				return
			}
		case Call:
			if o.Before != nil {
				o.Before(r)
			}
			if o.After != nil {
				after = append(after, o.After)
			}
		case DropAccount:
			r.Header.Del("Authorization")
		case Refuse, ResetBody, LoseAnswer, Hang, Status, HTML, BadRateHeaders, Truncate, Stale, Repeat:
			if worst == nil {
				worst = o
			}
		}
	}
	if worst != nil && f.instead(w, r, worst) {
		return
	}
	a := newAnswer(w.Header())
	f.next.ServeHTTP(a, r)
	for _, o := range remember {
		f.faults.remember(o, r, a)
	}
	for _, call := range after {
		call(r)
	}
	if worst == nil {
		a.send(w)
		return
	}
	spoil(w, r, worst.Fault, a)
}

// instead carries out a fault that keeps the request from the server, and reports
// whether it was one.
func (f *Front) instead(w http.ResponseWriter, r *http.Request, o *order) bool {
	switch o.Kind {
	case Refuse:
		cut(w)
	case Status:
		if o.RetryAfter != "" {
			w.Header().Set("Retry-After", o.RetryAfter)
		}
		w.WriteHeader(o.Status)
		_, _ = w.Write([]byte(o.Body))
	case HTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if o.Status != 0 {
			w.WriteHeader(o.Status)
		}
		body := o.Body
		if body == "" {
			body = "<!DOCTYPE html><html><head><title>Gateway</title></head><body><h1>Please stand by</h1></body></html>\n"
		}
		_, _ = w.Write([]byte(body))
	case Stale, Repeat:
		a, ok := f.faults.recall(o, r)
		if !ok {
			return false
		}
		a.send(w)
	case ResetBody, LoseAnswer, Hang, BadRateHeaders, Truncate, Delay, Call, DropAccount:
		return false
	}
	return true
}

// spoil gives the answer of work that was done, or does not.
func spoil(w http.ResponseWriter, r *http.Request, fault Fault, a *answer) {
	switch fault.Kind {
	case ResetBody:
		half(w, a)
	case LoseAnswer:
		cut(w)
	case Hang:
		<-r.Context().Done()
		cut(w)
	case BadRateHeaders:
		a.header.Set("X-RateLimit-Limit", "many")
		a.header.Set("X-RateLimit-Remaining", "-3.5e")
		a.header.Set("X-RateLimit-Reset", "soon")
		a.header.Set("X-RateLimit-FillRate", "")
		a.header.Set("Retry-After", "later")
		a.send(w)
	case Truncate:
		a.body.Truncate(a.body.Len() / 2)
		a.header.Del("Content-Length")
		a.send(w)
	case Refuse, Status, HTML, Stale, Repeat, Delay, Call, DropAccount: // Stale and Repeat with nothing to repeat
		a.send(w)
	}
}

// cut closes the connection at once, with a reset where TCP allows; it does not return
// normally for HTTP/2, where only the stream can be reset.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	reset(conn)
}

func reset(conn net.Conn) {
	under := conn
	if t, ok := conn.(*tls.Conn); ok {
		under = t.NetConn()
	}
	if tcp, ok := under.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset instead of an orderly end; without it the fault is only milder
	}
	_ = under.Close()
}

// half announces the whole body, sends half of it and resets the connection.
func half(w http.ResponseWriter, a *answer) {
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(max(a.body.Len(), 2)))
	w.WriteHeader(a.code())
	_, _ = w.Write(a.body.Bytes()[:a.body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	cut(w)
}

// answer is what a server said, held back.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newAnswer(h http.Header) *answer { return &answer{header: h.Clone()} }

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

func (a *answer) code() int {
	if a.status == 0 {
		return http.StatusOK
	}
	return a.status
}

func (a *answer) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.code())
	_, _ = w.Write(a.body.Bytes())
}

// key is what an answer is remembered by.
func (o *order) key(r *http.Request) string {
	if o.Kind == Repeat {
		return r.Method + " " + r.URL.Path
	}
	return fmt.Sprintf("%s %s", r.Method, r.URL.RequestURI())
}

func (os *orders) remember(o *order, r *http.Request, a *answer) {
	kept := answer{header: a.header.Clone(), status: a.status}
	kept.body.Write(a.body.Bytes())
	os.mu.Lock()
	defer os.mu.Unlock()
	o.answered[o.key(r)] = &kept
}

func (os *orders) recall(o *order, r *http.Request) (*answer, bool) {
	os.mu.Lock()
	defer os.mu.Unlock()
	a, ok := o.answered[o.key(r)]
	return a, ok
}
