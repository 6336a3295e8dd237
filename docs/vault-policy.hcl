# What bbsync needs in Vault to change one fleet, and no more. Change "secret" to your
# KV version 2 mount, "bbsync" to your path (the settings "mount" and "path" of the
# vault block) and "corp" to the name of the fleet:
#
#   sed 's|secret/|kv/|; s|/bbsync/|/teams/vcs/|; s|/corp/|/payments/|' docs/vault-policy.hcl | vault policy write bbsync-payments -
#
# A token of one fleet can neither read nor write the records of another: whoever gets
# one of them gets the keys of one fleet. vault-policy-read.hcl is the policy for what
# only reads. Tests run every command under these files, and bbsync's client once
# without each of their capabilities.

# The records, one per connection, with their leases, and below logins/ the Bitbucket
# logins of "bbsync login". Every write is check-and-set.
# There is no "delete": bbsync never deletes a record, and a delete would have no
# check-and-set. There is no "patch": a record is written whole.
path "secret/data/bbsync/corp/*" {
  capabilities = ["create", "read", "update"]
}

# Which records there are, to find those that the configuration no longer has, and
# which versions of a record there are.
path "secret/metadata/bbsync/corp/*" {
  capabilities = ["list", "read"]
}

# Whether the mount deletes by itself what is written to it (delete_version_after): no
# key is created in such a mount.
path "secret/config" {
  capabilities = ["read"]
}

# To destroy the old versions of a record once a key in them has been retired.
path "secret/destroy/bbsync/corp/*" {
  capabilities = ["update"]
}

# bbsync reads its own token, keeps it alive during a long apply, and revokes it
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

# Reading the mount's settings, to refuse KV version 1 (sys/internal/ui/mounts/secret),
# needs no line: Vault shows a mount to every token that may do something in it.

# The credentials that the configuration refers to, such as
# token { vault = "secret/platform/hcp#token" }. Name each here, or keep them in a
# folder that holds nothing else:
#
# path "secret/data/platform/hcp" {
#   capabilities = ["read"]           # and "update" for bbsync rotate --token, which replaces it
# }
#
# When the secret id of an AppRole login ends is known with the line below; change
# "bbsync" to the role.
#
# path "auth/approle/role/bbsync/secret-id/lookup" {
#   capabilities = ["update"]
# }
