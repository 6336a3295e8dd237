// Package live reads the three systems into what plan compares. What can be
// read once for a fleet is read once, at the same time as everything else, and
// a system that does not answer leaves a mark on the connections it concerns
// and on no others. It writes nothing and decides nothing.
package live

import (
	"context"
	"sync"
	"time"

	"github.com/bbsync/bbsync/internal/expiry"
	"github.com/bbsync/bbsync/internal/fault"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/internal/trace"
	"github.com/bbsync/bbsync/schema"
)

// DefaultParallel is how many connections are read at once. The limiters of the
// credentials decide the pace; this bounds memory and sockets.
const DefaultParallel = 64

// Options of a reading.
type Options struct {
	Parallel int                  // connections at once; 0: DefaultParallel
	Quick    bool                 // take consumers from the list of links: a public key that was replaced under the same consumer key is not noticed
	Unknown  bool                 // look for SSH keys of service users that nothing knows, which may take every record of the fleet
	Ends     EndsOptions          // read what ends
	Done     func(address string) // called as each connection has been read, from several goroutines; may be nil
}

// A World is what was read: one Have per connection, in the order asked for,
// and what the Bitbuckets' connections share, by label.
type World struct {
	Have       []plan.Have
	Bitbuckets map[string]plan.Bitbucket
	Ends       []expiry.End // of the systems
}

// Read reads the live state of these connections of the fleet.
func Read(ctx context.Context, sys *systems.Systems, connections []*schema.Connection, opts Options) (World, error) {
	r := newReader(sys, connections)
	r.quick = opts.Quick
	world := World{Have: make([]plan.Have, len(connections)), Bitbuckets: map[string]plan.Bitbucket{}}
	if opts.Parallel == 0 {
		opts.Parallel = DefaultParallel
	}
	shared := r.startShared(ctx)
	shared.Go(func() { world.Ends = Ends(ctx, sys, opts.Ends) })
	r.readAll(ctx, connections, world.Have, opts)
	shared.Wait() // also when ctx is done: nothing goes on behind the caller's back
	if err := ctx.Err(); err != nil {
		return World{}, err
	}
	if opts.Unknown {
		r.strangeKeys(ctx, world.Have)
	}
	for label, b := range r.bitbuckets {
		world.Bitbuckets[label] = b.shared
	}
	return world, nil
}

// readAll reads the connections, some at once, each with its three systems side
// by side.
func (r *reader) readAll(ctx context.Context, connections []*schema.Connection, have []plan.Have, opts Options) {
	parallel := min(opts.Parallel, len(connections))
	each := newCrew(parallel)
	defer close(each)
	r.beside = newCrew(2 * parallel) // two systems of each connection; its own goroutine reads the third
	defer close(r.beside)
	var group sync.WaitGroup
	for i, c := range connections {
		each.do(&group, func() {
			have[i] = r.connection(ctx, c)
			if opts.Done != nil {
				opts.Done(c.Address)
			}
		})
	}
	group.Wait()
}

// A reader holds what is read once for many connections.
type reader struct {
	sys        *systems.Systems
	quick      bool
	beside     crew
	bitbuckets map[string]*sharedBitbucket
	records    future[recordIndex]   // all of the fleet, read for what moved
	everyone   future[fleetKeys]     // all SSH keys of the fleet, read when a key is not known
	lifetime   future[time.Duration] // of what is written into the records' mount

	mu            sync.Mutex
	organizations map[organizationKey]*organization
}

type organizationKey struct{ terraform, name string }

func newReader(sys *systems.Systems, connections []*schema.Connection) *reader {
	r := &reader{
		sys:           sys,
		bitbuckets:    map[string]*sharedBitbucket{},
		organizations: map[organizationKey]*organization{},
	}
	for _, c := range connections {
		shared, ok := r.bitbuckets[c.Bitbucket.Label]
		if !ok {
			shared = newSharedBitbucket(sys, c.Bitbucket)
			r.bitbuckets[c.Bitbucket.Label] = shared
		}
		shared.wants(c)
	}
	return r
}

// connection reads one connection, its three systems side by side.
func (r *reader) connection(ctx context.Context, c *schema.Connection) plan.Have {
	ctx, end := trace.Start(ctx, "read", trace.Connection(c.Address))
	defer end(nil)
	var have plan.Have
	var record, terraform, bitbucket error
	var group sync.WaitGroup
	r.beside.do(&group, func() { terraform = r.readTerraform(ctx, c, &have) })
	r.beside.do(&group, func() { bitbucket = r.readBitbucket(ctx, c, &have) })
	have.Record, record = r.readRecord(ctx, c.Record)
	if record == nil {
		record = r.readLifetime(ctx, c.Record, &have)
	}
	group.Wait()
	if record == nil {
		record = r.readMoved(ctx, c, &have)
	}
	if record == nil {
		record = r.readTakenOver(ctx, &have)
	}
	if terraform == nil {
		terraform = r.probeRefused(ctx, c, &have)
	}
	if bitbucket == nil {
		bitbucket = r.readListed(ctx, c, &have)
	}
	if record == nil && bitbucket == nil {
		bitbucket = r.readBefore(ctx, c, &have)
	}
	have.Unread = unread(record, terraform, bitbucket)
	return have
}

func unread(record, terraform, bitbucket error) []plan.Unread {
	var out []plan.Unread
	for _, x := range []struct {
		system string
		err    error
	}{{"vault", record}, {"terraform", terraform}, {"bitbucket", bitbucket}} {
		if x.err != nil {
			out = append(out, unreadOf(x.system, x.err))
		}
	}
	return out
}

// unreadOf says which system could not be read, and why.
func unreadOf(system string, err error) plan.Unread {
	text, fix := fault.Explain(err)
	return plan.Unread{System: system, Err: text, Fix: fix, Cause: err}
}

// A future is read once, by whoever asks first; the others wait for it.
type future[T any] struct {
	once  sync.Once
	value T
	err   error
}

func (f *future[T]) get(read func() (T, error)) (T, error) {
	f.once.Do(func() { f.value, f.err = read() })
	return f.value, f.err
}
