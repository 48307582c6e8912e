{{- define "glidepath.labels" -}}
app.kubernetes.io/name: glidepath
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* "yes" where the cluster has the Prometheus operator's rules, else "". */}}
{{- define "glidepath.operator" -}}
{{- if .Capabilities.APIVersions.Has "monitoring.coreos.com/v1/PrometheusRule" }}yes{{ end }}
{{- end }}
