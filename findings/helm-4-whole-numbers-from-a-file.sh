#!/usr/bin/env bash
# Helm 4.3.1: the same whole number is rendered in two ways, by how it was given; and a JSON file is no way out.
#
# One would expect: a value 1500000 is rendered as 1500000, from a file as from --set; at least from JSON that Helm
# itself printed (`helm get values -o json`), which is how a release's values are carried on to its next upgrade.
# Seen: from a file, YAML or JSON, numbers of a million and more become floats: `quote` and plain output print 1.5e+06,
# and an id beyond 2^53 is another id. --set keeps integers. So carrying on the values of a release that was installed with
# --set changes its manifests, and restarts its pods.
#
# Needs Go. Renders a chart of one line; no cluster. Fails if Helm comes to do otherwise.
set -euo pipefail
version=v4.3.1
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
GOBIN=$folder/bin go install "helm.sh/helm/v4/cmd/helm@$version"
mkdir -p "$folder/chart/templates"
printf 'apiVersion: v2\nname: numbers\nversion: 1.0.0\n' > "$folder/chart/Chart.yaml"
printf 'limit: {{ .Values.limit | quote }}\nid: {{ .Values.id | quote }}\n' > "$folder/chart/templates/numbers.yaml"
printf '{"limit": 1500000, "id": 9007199254740993}\n' > "$folder/values.json"
printf 'limit: 1500000\nid: 9007199254740993\n' > "$folder/values.yaml"
export HELM_CACHE_HOME=$folder/cache HELM_CONFIG_HOME=$folder/config HELM_DATA_HOME=$folder/data
render() { "$folder/bin/helm" template x "$folder/chart" "$@" | grep -E '^(limit|id):' | tr '\n' ' '; }
set_on_line=$(render --set limit=1500000,id=9007199254740993)
from_json=$(render --values "$folder/values.json")
from_yaml=$(render --values "$folder/values.yaml")
printf '%-10s %s\n' --set "$set_on_line" JSON "$from_json" YAML "$from_yaml"
[ "$set_on_line" = 'limit: "1500000" id: "9007199254740993" ' ]
[ "$from_json" = 'limit: "1.5e+06" id: "9.007199254740992e+15" ' ]
[ "$from_yaml" = "$from_json" ]
echo "as described"
