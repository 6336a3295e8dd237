# bbsync in a pipeline: it logs in to Vault with an AppRole whose ids come from the environment.
bbsync {
  required_version = ">= 0.1.0"
  fleet            = "approle"
}

vault {
  address = var.vault_address
  auth "approle" {
    role_id_env   = "BBSYNC_ROLE_ID"
    secret_id_env = "BBSYNC_SECRET_ID"
  }
}

terraform "hcp" {
  address = var.terraform_address
  ca_file = var.ca_file
  token {
    vault = "secret/platform/hcp#token"
  }
}

bitbucket "corp" {
  url     = var.bitbucket_url
  ca_file = var.ca_file
  admin {
    username = "admin"
    password {
      vault = "secret/platform/bitbucket#admin"
    }
  }
}

connection "acme" {
  terraform    = terraform.hcp
  organization = "acme-01"
  bitbucket    = bitbucket.corp
  service_user = "svc-terraform"
  protect      = true

  grant {
    project      = "INFRA"
    repositories = ["vpc", "dns"]
  }
}
