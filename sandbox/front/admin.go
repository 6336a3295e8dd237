package front

import (
	"encoding/json"
	"net/http"
	"time"
)

// maxOrder bounds what an order to the admin handler may hold.
const maxOrder = 1 << 20

// Admin returns the handler by which another process orders faults and reads
// counts. It has no authentication: give it a loopback address of its own.
//
//	GET /counts, DELETE /counts
//	GET /faults, POST /faults (an array of faults), DELETE /faults
//	PUT /pace {"latency":"20ms","rate":{"perSecond":30,"burst":30}}
func (f *Front) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, _ *http.Request) { reply(w, f.Counts()) })
	mux.HandleFunc("DELETE /counts", func(w http.ResponseWriter, _ *http.Request) {
		f.ResetCounts()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) { reply(w, f.Faults()) })
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, _ *http.Request) {
		f.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /faults", f.orderFaults)
	mux.HandleFunc("PUT /pace", f.setPace)
	return mux
}

func (f *Front) orderFaults(w http.ResponseWriter, r *http.Request) {
	var faults []Fault
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder)).Decode(&faults); err != nil {
		http.Error(w, "want a JSON array of faults: "+err.Error(), http.StatusBadRequest)
		return
	}
	if err := f.Order(faults...); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *Front) setPace(w http.ResponseWriter, r *http.Request) {
	var pace struct {
		Latency string `json:"latency"`
		Rate    Rate   `json:"rate"`
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&pace); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var latency time.Duration
	if pace.Latency != "" {
		var err error
		if latency, err = time.ParseDuration(pace.Latency); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	f.SetLatency(latency)
	f.SetRate(pace.Rate)
	w.WriteHeader(http.StatusNoContent)
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client went away
}
