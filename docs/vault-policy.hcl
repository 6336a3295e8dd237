# What bbsync may do in Vault, and no more. Change "secret" to your KV version 2
# mount and "bbsync" to your path (the settings "mount" and "path" of the vault block):
#
#   sed 's|secret/|kv/|; s|/bbsync/|/teams/vcs/|' docs/vault-policy.hcl | vault policy write bbsync -
#
# A test runs bbsync's client under this file, and once without each of its paths.

# The records, one per connection, with their leases. Every write is check-and-set.
# There is no "delete": bbsync never deletes a record, and a delete would have no
# check-and-set. There is no "patch": a record is written whole.
path "secret/data/bbsync/*" {
  capabilities = ["create", "read", "update"]
}

# Which records there are, to find those that no file names any more, and which
# versions of a record there are.
path "secret/metadata/bbsync/*" {
  capabilities = ["list", "read"]
}

# To destroy the old versions of a record once a key in them has been retired.
path "secret/destroy/bbsync/*" {
  capabilities = ["update"]
}

# bbsync looks at its own token, keeps it alive during a long apply, and revokes it
# at the end if it came from a login. Vault's policy "default" allows the same; these
# lines are for tokens that do not have it.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}

path "auth/token/revoke-self" {
  capabilities = ["update"]
}

# What is read of the mount, to refuse KV version 1 (sys/internal/ui/mounts/secret),
# needs no line: Vault shows a mount to every token that may do something in it.

# The credentials that the files refer to, such as token { vault = "secret/platform/hcp#token" }.
# Name each here, or keep them in a folder that holds nothing else:
#
# path "secret/data/platform/hcp" {
#   capabilities = ["read"]
# }

# To plan, to look for drift and to report, reading is enough. Such a token needs
# "read" alone on the data, "list" and "read" on the metadata, and no "destroy".
