# The app as an image: the functions host, GnuPG, and nobody as root. docs/deployment.md says where it can run.
#
#   docker build --tag lms-connector .
FROM mcr.microsoft.com/azure-functions/python:4-python3.13

# GnuPG opens packages. Not pinned: what the base image's Debian has is what it mends.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gnupg \
    && rm -rf /var/lib/apt/lists/*

COPY requirements.txt /tmp/requirements.txt
RUN python -m pip install --no-cache-dir --requirement /tmp/requirements.txt \
    && rm /tmp/requirements.txt

# Who runs it may write where the host does, and nowhere else: code and host stay root's.
RUN useradd --uid 10001 --no-create-home --home-dir /home --shell /usr/sbin/nologin connector \
    && mkdir -p /azure-functions-host/Secrets /home/data /home/LogFiles \
    && chown -R connector:connector /azure-functions-host/Secrets /home/data /home/LogFiles

COPY function_app.py host.json /home/site/wwwroot/
COPY functions /home/site/wwwroot/functions
COPY shared /home/site/wwwroot/shared
RUN python -m compileall -q /home/site/wwwroot

# Whoever is not root may not listen on 80.
ENV AzureWebJobsScriptRoot=/home/site/wwwroot \
    AzureFunctionsJobHost__Logging__Console__IsEnabled=true \
    ASPNETCORE_URLS=http://+:8080
EXPOSE 8080
USER 10001:10001

# Not the base image's own script: it first installs certificates, as root.
CMD ["/azure-functions-host/Microsoft.Azure.WebJobs.Script.WebHost"]
