# Keys made elsewhere: bbsync takes them from Vault instead of making its own.
bbsync {
  required_version = ">= 0.1.0"
  fleet            = "own-keys"
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

  # An RSA key in PEM without passphrase, of the service user and nobody else.
  ssh_key {
    private_key {
      vault = "secret/keys/acme-01#ssh"
    }
  }

  # The OAuth consumer's RSA key, and the consumer key that goes with it.
  consumer {
    key = "terraform-acme-01"
    private_key {
      vault = "secret/keys/acme-01#consumer"
    }
  }

  grant {
    project      = "INFRA"
    repositories = ["vpc"]
  }
}
