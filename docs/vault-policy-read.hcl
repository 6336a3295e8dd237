# What bbsync needs in Vault for the commands that change nothing: plan, drift, doctor
# (without --prove), report, authorize (without --apply) and import --dry-run. Change
# the names as in vault-policy.hcl.
#
# Such a token still reads private keys: a record is one secret, and its reader sees
# the whole of it.

path "secret/data/bbsync/corp/*" {
  capabilities = ["read"]
}

path "secret/metadata/bbsync/corp/*" {
  capabilities = ["list", "read"]
}

# Whether the mount deletes by itself what is written to it (delete_version_after).
path "secret/config" {
  capabilities = ["read"]
}

path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}

path "auth/token/revoke-self" {
  capabilities = ["update"]
}

# The credentials that the configuration refers to, as in vault-policy.hcl.
