{{- define "service.labels" -}}
app: {{ .Values.service.name }}
app.kubernetes.io/name: {{ .Values.service.name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Objects of a release under way carry its token; Glidepath itself marks them held or open (charts/glidepath). */}}
{{- define "service.token" -}}
{{- with .Values.release.token }}
annotations:
  glidepath.dev/token: {{ . | quote }}
{{- end }}
{{- end }}

{{/* The versions that have a role, as a JSON list of objects: version, the role its replicas are of, and the version whose
     image and environment it has. The baseline is freshly started pods of the stable version, under a name of its own. */}}
{{- define "service.versions" -}}
{{- $roles := .Values.roles }}
{{- if and $roles.canary (eq $roles.canary $roles.stable) }}
{{- fail (printf "roles.stable and roles.canary are both %q; expected two different versions, or an empty canary" $roles.stable) }}
{{- end }}
{{- if and $roles.baseline (or (eq $roles.baseline $roles.stable) (eq $roles.baseline (default "" $roles.canary))) }}
{{- fail (printf "roles.baseline is %q, as another role is; expected a name of its own, such as %s-baseline" $roles.baseline $roles.stable) }}
{{- end }}
{{- $list := list (dict "version" $roles.stable "role" "stable" "like" $roles.stable) }}
{{- if $roles.canary }}{{ $list = append $list (dict "version" $roles.canary "role" "canary" "like" $roles.canary) }}{{ end }}
{{- if $roles.baseline }}{{ $list = append $list (dict "version" $roles.baseline "role" "canary" "like" $roles.stable) }}{{ end }}
{{- $list | toJson }}
{{- end }}

{{/* What a version's objects are called: <service>-<version>, shortened with a hash as Glidepath does it (naming.py), so
     that no name is too long for the pods' names and labels. Needs a list: the root, the version. */}}
{{- define "service.workload" -}}
{{- $name := printf "%s-%s" (first .).Values.service.name (last .) }}
{{- if or (gt (len $name) 52) (and (eq (len $name) 52) (regexMatch "-[0-9a-f]{8}$" $name)) }}
{{- $name = printf "%s-%s" (trunc 43 $name) (sha256sum $name | trunc 8) }}
{{- end }}
{{- $name }}
{{- end }}

{{- define "service.split" -}}
{{- $split := .Values.istio.trafficSplit }}
{{- if ne (add $split.stable $split.canary $split.baseline) 100 }}
{{- fail (printf "istio.trafficSplit is %v stable, %v canary and %v baseline; expected them to add up to 100" $split.stable $split.canary $split.baseline) }}
{{- end }}
{{- if and (not .Values.roles.baseline) (ne (int $split.baseline) 0) }}
{{- fail (printf "istio.trafficSplit.baseline is %v but roles.baseline is empty; name the baseline or set its share to 0" $split.baseline) }}
{{- end }}
{{- if and (not .Values.roles.canary) (ne (int $split.canary) 0) }}
{{- fail (printf "istio.trafficSplit.canary is %v but roles.canary is empty; name the canary's version or set the split to 100/0" $split.canary) }}
{{- end }}
{{- end }}
