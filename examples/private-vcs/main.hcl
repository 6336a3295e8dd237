# Bitbucket is not reachable from HCP Terraform: an agent pool inside the network stands between them.
bbsync {
  required_version = ">= 0.1.0"
  fleet            = "private-vcs"
}

vault {
  address = var.vault_address
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
  agent_pool   = "private-network"

  grant {
    project      = "INFRA"
    repositories = ["vpc"]
  }
}
