package sandbox

import (
	"encoding/json"
	"net/http"

	"github.com/bbsync/bbsync/internal/sandbox/front"
)

// startControl serves what another process may do to the world: read the facts,
// save it, and per server (/servers/NAME/...) what front.Admin offers.
func (w *World) startControl() error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /facts", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(w.Facts) // the client is gone: nobody to tell
	})
	mux.HandleFunc("POST /save", func(rw http.ResponseWriter, _ *http.Request) {
		if err := w.Save(); err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("POST /settle", func(http.ResponseWriter, *http.Request) { w.Terraform.Settle() })
	mux.HandleFunc("POST /misfortune/{name}", w.serveMisfortune)
	for name, f := range w.Fronts {
		mux.Handle("/servers/"+name+"/", http.StripPrefix("/servers/"+name, f.Admin()))
	}
	address, err := w.serve("control", w.Facts.Control, false, front.New(mux, front.Options{Name: "control"}))
	w.Facts.Control = address
	return err
}
