// Package goaway is a server for tests that ends HTTP/2 connections as proxies do
// after a number of requests: GOAWAY names the last request it takes, and what the
// client has sent after that is not processed.
package goaway

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Server starts a server that drops the first request that has a body, by GOAWAY,
// and gives all others to handler. It returns the URL and the certificate's PEM.
func Server(t *testing.T, handler http.Handler) (url string, ca []byte) {
	t.Helper()
	certified := httptest.NewUnstartedServer(nil) // for its certificate
	certified.StartTLS()
	conf := &tls.Config{Certificates: certified.TLS.Certificates, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}
	ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw})
	certified.Close()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", conf)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{handler: handler}
	s.tasks.Go(func() { s.accept(listener) })
	t.Cleanup(func() { _ = listener.Close(); s.close(); s.tasks.Wait() })
	return "https://" + listener.Addr().String(), ca
}

type server struct {
	handler http.Handler
	tasks   sync.WaitGroup

	mu      sync.Mutex
	open    []net.Conn
	dropped bool
}

func (s *server) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open = append(s.open, conn)
		s.mu.Unlock()
		s.tasks.Go(func() { s.serve(conn) })
	}
}

func (s *server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.open {
		_ = conn.Close()
	}
}

// drop reports whether a request is the one to drop.
func (s *server) drop(withBody bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := withBody && !s.dropped
	s.dropped = s.dropped || first
	return first
}

// serve reads requests one after the other; bodies are read and not looked at.
func (s *server) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	f := http2.NewFramer(conn, conn)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = f.WriteSettings()
	var last uint32
	var request *http2.MetaHeadersFrame
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = f.WriteSettingsAck()
			}
			continue
		case *http2.MetaHeadersFrame:
			if s.drop(!frame.StreamEnded()) {
				_ = f.WriteGoAway(last, http2.ErrCodeNo, nil)
				return
			}
			request, last = frame, frame.StreamID
			if !frame.StreamEnded() {
				continue
			}
		case *http2.DataFrame:
			if !frame.StreamEnded() {
				continue
			}
		default:
			continue
		}
		s.answer(f, request)
	}
}

func (s *server) answer(f *http2.Framer, m *http2.MetaHeadersFrame) {
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, httptest.NewRequest(m.PseudoValue("method"), m.PseudoValue("path"), nil))
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	_ = encoder.WriteField(hpack.HeaderField{Name: ":status", Value: strconv.Itoa(recorder.Code)})
	for name, values := range recorder.Header() {
		_ = encoder.WriteField(hpack.HeaderField{Name: strings.ToLower(name), Value: values[0]})
	}
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: m.StreamID, BlockFragment: block.Bytes(), EndHeaders: true})
	_ = f.WriteData(m.StreamID, true, recorder.Body.Bytes())
}
