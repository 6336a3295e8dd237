package plan

// This file names the kinds of steps for machines: JSON, digests and the audit trail
// have these names. They do not change when a type is renamed.

func (CreateConsumerKey) Kind() string { return "create_consumer_key" }
func (CreateSSHKey) Kind() string      { return "create_ssh_key" }
func (CreateLink) Kind() string        { return "create_link" }
func (RenameLink) Kind() string        { return "rename_link" }
func (DeleteLink) Kind() string        { return "delete_link" }
func (SetConsumer) Kind() string       { return "set_consumer" }
func (ProveConsumer) Kind() string     { return "prove_consumer" }
func (CreateClient) Kind() string      { return "create_client" }
func (UpdateClient) Kind() string      { return "update_client" }
func (DeleteClient) Kind() string      { return "delete_client" }
func (AddSSHKey) Kind() string         { return "add_ssh_key" }
func (DeleteSSHKey) Kind() string      { return "delete_ssh_key" }
func (ProveSSH) Kind() string          { return "prove_ssh" }
func (Authorize) Kind() string         { return "authorize" }
func (SetTokenKey) Kind() string       { return "set_token_key" }
func (CondemnKeys) Kind() string       { return "condemn_keys" }
func (RestageKey) Kind() string        { return "restage_key" }
func (SwitchKey) Kind() string         { return "switch_key" }
func (ProveRefused) Kind() string      { return "prove_refused" }
func (RetireKey) Kind() string         { return "retire_key" }
func (SwapConsumer) Kind() string      { return "swap_consumer" }
func (RetireConsumer) Kind() string    { return "retire_consumer" }
func (ProveRepositories) Kind() string { return "prove_repositories" }
func (MoveWorkspaces) Kind() string    { return "move_workspaces" }
func (ProveFetched) Kind() string      { return "prove_fetched" }
func (GrantPermission) Kind() string   { return "grant_permission" }
func (InstallPlugin) Kind() string     { return "install_plugin" }
func (EnablePlugin) Kind() string      { return "enable_plugin" }
func (EnableHook) Kind() string        { return "enable_hook" }
func (RemoveUnknownKey) Kind() string  { return "remove_unknown_key" }
func (NoteConnection) Kind() string    { return "note_connection" }
func (MoveRecord) Kind() string        { return "move_record" }
func (ForgetRecord) Kind() string      { return "forget_record" }
func (RetireRecord) Kind() string      { return "retire_record" }
func (BreakLease) Kind() string        { return "break_lease" }
