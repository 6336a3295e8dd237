repositories = ["vpc", "DNS", "infra/apps"]
