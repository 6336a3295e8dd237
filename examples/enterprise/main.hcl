# Terraform Enterprise and Bitbucket behind a private certificate authority, the whole project shared.
bbsync {
  required_version = ">= 0.1.0"
  fleet            = "enterprise"
}

vault {
  address = var.vault_address
}

terraform "tfe" {
  address = var.terraform_address
  ca_file = var.ca_file

  # The administrators of this host set a limit that its answers do not name.
  rate_limit = 30

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
  terraform    = terraform.tfe
  organization = "acme-01"
  bitbucket    = bitbucket.corp
  service_user = "svc-terraform"

  # A link to the main URL is there once per Bitbucket; this host has one organization on it.
  application_link {
    url  = "main"
    name = "Terraform Enterprise"
  }

  grant {
    project = "INFRA"
  }
}
