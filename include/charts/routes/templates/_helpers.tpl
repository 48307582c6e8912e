{{- define "routes.labels" -}}
app: {{ .Values.service.name }}
app.kubernetes.io/name: {{ .Values.service.name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Objects of a release under way carry its token; Glidepath itself marks them held or open (charts/glidepath). */}}
{{- define "routes.token" -}}
{{- with .Values.release.token }}
annotations:
  glidepath.dev/token: {{ . | quote }}
{{- end }}
{{- end }}

{{/* Fails where roles and split can't be. */}}
{{- define "routes.checked" -}}
{{- $roles := .Values.roles }}
{{- $split := .Values.istio.trafficSplit }}
{{- $baseline := int (default 0 $split.baseline) }}
{{- if eq $roles.stable (default "" $roles.canary) }}
{{- fail (printf "roles.stable and roles.canary are both %q; expected two different versions, or an empty canary" $roles.stable) }}
{{- end }}
{{- if and $roles.baseline (has $roles.baseline (list $roles.stable (default "" $roles.canary))) }}
{{- fail (printf "roles.baseline is %q, as another role is; expected a name of its own, such as %s-baseline" $roles.baseline $roles.stable) }}
{{- end }}
{{- if ne (add $split.stable $split.canary $baseline) 100 }}
{{- fail (printf "istio.trafficSplit is %v stable, %v canary and %v baseline; expected them to add up to 100" $split.stable $split.canary $baseline) }}
{{- end }}
{{- if and (not $roles.canary) (ne (int $split.canary) 0) }}
{{- fail (printf "istio.trafficSplit.canary is %v but roles.canary is empty; name the canary's version or set the split to 100/0" $split.canary) }}
{{- end }}
{{- if and (not $roles.baseline) (ne $baseline 0) }}
{{- fail (printf "istio.trafficSplit.baseline is %v but roles.baseline is empty; name the baseline or set its share to 0" $baseline) }}
{{- end }}
{{- end }}
