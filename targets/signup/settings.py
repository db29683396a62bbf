"""Settings of the signup service. VARIANT says how it keeps one of each thing."""

import os
from urllib.parse import unquote, urlsplit

VARIANT = os.environ["VARIANT"]

_database = urlsplit(os.environ["DATABASE_URL"])

# Signs cookies, of which this service sets none.
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "no cookie is signed with it")
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "signup.urls"
WSGI_APPLICATION = "signup.wsgi.application"
INSTALLED_APPS = ["signup"]
MIDDLEWARE: list[str] = []
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(_database.path.lstrip("/")),
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
        "HOST": _database.hostname,
        "PORT": _database.port,
        # One connection for each thread that gunicorn runs.
        "OPTIONS": {"pool": {"min_size": 16, "max_size": 16}},
    }
}
