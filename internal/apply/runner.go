package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
)

// A runner does the steps of one connection. What a step makes goes to Vault,
// and the next one reads it there: nothing passes from step to step in memory.
type runner struct {
	*executor
	plan.Target
	held  lease
	proof string // what a system answered to the step under way
}

// do carries one step out.
func (r *runner) do(ctx context.Context, step plan.Step) error {
	if err := r.held.Err(); err != nil {
		return err
	}
	switch s := step.(type) {
	case plan.CreateConsumerKey:
		return r.createConsumerKey(ctx, s)
	case plan.CreateSSHKey:
		return r.createSSHKey(ctx, s)
	case plan.CreateLink:
		return r.createLink(ctx, s)
	case plan.RenameLink:
		return r.renameLink(ctx, s)
	case plan.DeleteLink:
		return r.deleteLink(ctx, s)
	case plan.SetConsumer:
		return r.setConsumer(ctx, s)
	case plan.ProveConsumer:
		return r.proveConsumer(ctx)
	case plan.CreateClient:
		return r.createClient(ctx, s)
	case plan.UpdateClient:
		return r.updateClient(ctx, s)
	case plan.DeleteClient:
		return r.deleteClient(ctx, s)
	case plan.AddSSHKey:
		return r.addSSHKey(ctx, s)
	case plan.DeleteSSHKey:
		return r.deleteSSHKey(ctx, s)
	case plan.ProveSSH:
		return r.proveSSH(ctx, s)
	case plan.Authorize:
		return r.authorize(ctx, s)
	case plan.SetTokenKey:
		return r.setTokenKey(ctx, s)
	case plan.MarkCompromised:
		return r.markCompromised(ctx, s)
	case plan.RestageKey:
		return r.restageKey(ctx, s)
	case plan.SwitchKey:
		return r.switchKey(ctx, s)
	case plan.ProveRefused:
		return r.proveRefused(ctx, s)
	case plan.RetireKey:
		return r.retireKey(ctx, s)
	case plan.SwapConsumer:
		return r.swapConsumer(ctx, s)
	case plan.RetireConsumer:
		return r.retireConsumer(ctx)
	case plan.ProveRepositories:
		return r.proveRepositories(ctx, s)
	case plan.MoveWorkspaces:
		return r.moveWorkspaces(ctx, s)
	case plan.ProveFetched:
		return r.proveFetched(ctx, s)
	case plan.NoteConnection:
		return r.noteConnection(ctx, s)
	case plan.MoveRecord:
		return r.moveRecord(ctx, s)
	case plan.ForgetRecord:
		return r.forgetRecord(ctx)
	case plan.BreakLease:
		return nil // the runner's own lease has replaced it
	case plan.RetireRecord:
		return r.retireRecord(ctx)
	}
	return fmt.Errorf("unknown step %s", step.Type().Kind)
}

func (r *runner) bitbucketClient(ctx context.Context) (bitbucketServer, error) {
	return r.sys.Bitbucket(ctx, r.Bitbucket)
}

func (r *runner) terraformClient(ctx context.Context) (terraformServer, error) {
	return r.sys.Terraform(ctx, r.Terraform, r.Organization)
}

// now is the time for the record.
func (r *runner) now() time.Time { return r.opts.Now().UTC() }

// warn tells of something that does not stop the connection.
func (r *runner) warn(step plan.Step, format string, args ...any) {
	r.event(Event{Address: r.Address, Step: step, Kind: Warning, Text: fmt.Sprintf(format, args...)})
}
