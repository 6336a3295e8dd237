package sandbox

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/front"
)

// ErrInUse says that a world's folder cannot be used now: its addresses are taken.
var ErrInUse = errors.New("somebody listens there; does a sandbox of this folder run already?")

// serve starts a server on loopback, on the port it had before or a free one,
// and returns its address.
func (w *World) serve(name, before string, secure bool, handler *front.Front) (string, error) {
	w.Fronts[name] = handler
	listener, err := listen(before)
	if err != nil {
		return "", fmt.Errorf("starting the sandbox's %s: %w", name, err)
	}
	scheme := "http"
	if secure {
		scheme = "https"
		conf := w.ca.config()
		if err := w.Facts.Gateway.demand(conf); err != nil {
			return "", err
		}
		listener = tls.NewListener(listener, conf)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	w.servers = append(w.servers, server)
	go func() { _ = server.Serve(listener) }() // ends with Close
	return scheme + "://" + listener.Addr().String(), nil
}

func (w *World) serveSSH(server *bitbucketd.Server, before string) (*net.TCPAddr, error) {
	listener, err := listen("ssh://" + before)
	if err != nil {
		return nil, fmt.Errorf("starting the sandbox's SSH: %w", err)
	}
	done := make(chan struct{})
	w.ssh, w.sshDone = append(w.ssh, listener), append(w.sshDone, done)
	go func() {
		defer close(done)
		_ = server.ServeSSH(listener) // ends with Close
	}()
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return nil, errors.New("the sandbox's SSH listens on something other than TCP")
	}
	return address, nil
}

// listen takes the port of an address that was used before, if that is known.
func listen(before string) (net.Listener, error) {
	u, err := url.Parse(before)
	if err == nil && u.Port() != "" {
		listener, err := net.Listen("tcp", u.Host)
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("%s, which it had before: %w", u.Host, ErrInUse)
		}
		return listener, err
	}
	return net.Listen("tcp", "127.0.0.1:0")
}
