package terraformd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const stateFile = "terraform.json"

// Save writes the state into the folder, whole and readable by its owner alone:
// it holds the private keys and tokens that the real server's database would.
func (s *Server) Save(folder string) error {
	s.mu.RLock()
	data, err := json.MarshalIndent(s.state, "", " ")
	s.mu.RUnlock()
	if err != nil {
		return fmt.Errorf("encoding Terraform's state: %w", err)
	}
	path := filepath.Join(folder, stateFile)
	temp, err := os.CreateTemp(folder, stateFile+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("saving Terraform's state: %w", err)
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("saving Terraform's state: %w", err), os.Remove(temp.Name()))
	}
	return nil
}

// Load replaces the state by what the folder holds. A folder without a state
// leaves the server as it is and returns an error that is fs.ErrNotExist.
func (s *Server) Load(folder string) error {
	data, err := os.ReadFile(filepath.Join(folder, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no state of a Terraform in %s: %w", folder, fs.ErrNotExist)
	}
	if err != nil {
		return fmt.Errorf("loading Terraform's state: %w", err)
	}
	st := newState()
	if err := json.Unmarshal(data, &st); err != nil {
		return fmt.Errorf("loading Terraform's state from %s: %w", folder, err)
	}
	// A fetch that was under way when the state was saved will not end any more.
	for _, o := range st.Organizations {
		for _, w := range o.Workspaces {
			w.abandon()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.index = st, newIndex(&st)
	return nil
}

func (w *workspace) abandon() {
	for _, v := range w.Versions {
		if v.Status == statusFetching {
			v.Status, v.Error, v.Message = statusErrored, "ingress_failed", "the server was stopped"
		}
	}
}
