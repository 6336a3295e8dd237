# A Bitbucket before 5.4 has no webhooks of its own: a plugin makes them, which bbsync may install.
bbsync {
  required_version = ">= 0.1.0"
  fleet            = "before-5-4"
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

  # Without this block bbsync says what is missing and leaves it to you.
  webhook_plugin {
    install = true
    url     = "https://artifacts.corp.example/web-post-hooks-for-bitbucket-server-1.6.0.jar"
  }
}

connection "acme" {
  terraform    = terraform.hcp
  organization = "acme-01"
  bitbucket    = bitbucket.corp
  service_user = "svc-terraform"

  grant {
    project      = "INFRA"
    repositories = ["vpc", "dns"]
  }
}
