# Only some projects of the organization may use the connection, and only these repositories are shared.
bbsync {
  required_version = ">= 0.1.0"
  fleet            = "projects"
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
  projects     = ["Default Project"]

  grant {
    repositories = ["INFRA/vpc", "INFRA/dns"]
  }
}
