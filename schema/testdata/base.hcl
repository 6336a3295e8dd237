bbsync {
  fleet = "corp"
}

terraform "hcp" {
  token { vault = "secret/platform/hcp#token" }
}

terraform "tfe" {
  address = "https://tfe.corp.example"
}

bitbucket "corp" {
  url = "https://bitbucket.corp.example"
  admin {
    username = "bbsync-admin"
    password { vault = "secret/platform/bitbucket#admin" }
  }
}

bitbucket "lab" {
  url = "https://bitbucket.lab.example:8443/git"
  admin {
    username = "bbsync-admin"
    password { env = "LAB_PASSWORD" }
  }
}
