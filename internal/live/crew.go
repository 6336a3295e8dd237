package live

import "sync"

// A crew is goroutines that stay until it is closed. A stack grows by being
// copied, several times until it is deep enough for an HTTP request and its
// JSON: with new goroutines for each connection that took a tenth of a plan's
// CPU.
type crew chan func()

func newCrew(n int) crew {
	c := make(crew)
	for range n {
		go func() {
			for work := range c {
				work()
			}
		}()
	}
	return c
}

// do has one of the crew do the work, as soon as one is free.
func (c crew) do(group *sync.WaitGroup, work func()) {
	group.Add(1)
	c <- func() {
		defer group.Done()
		work()
	}
}
