{{- define "glidepath.labels" -}}
app.kubernetes.io/name: glidepath
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
