{{/* Glidepath's account in a namespace, and what it may do there for these services. RBAC lets nobody write a role beyond
     its own. Needs a dict:
       namespace  the namespace
       services   a list of dicts: name; keda, whether its autoscaler is KEDA's; perVersion, whether each of its versions is a
                  Helm release of a chart of its own, so that the account makes and removes all that such a chart has
       labels     of each object, as YAML
       dashboards whether that chart brings Grafana's dashboards, too
       alerts     whether it brings Prometheus' rules, too
       upgraded   the one service whose chart brings these parts, or "": Helm applies every object of a chart at each
                  upgrade, so the account may then patch them, named one by one */}}
{{- define "glidepath.roles" -}}
{{- $names := list }}
{{- $keda := false }}
{{- $perVersion := false }}
{{- range .services }}
{{- $names = append $names .name }}
{{- $keda = or $keda .keda }}
{{- $perVersion = or $perVersion .perVersion }}
{{- end }}
{{- $shown := concat (ternary (list "glidepath-dashboards") list (.dashboards | default false)) (ternary (list "glidepath-alerts") list (.alerts | default false)) }}
{{- $own := ternary (list "glidepath" "glidepath-watchdog") list (ne .upgraded "") }}
# What Airflow's tasks may do here: the releases' objects, Helm's own secrets, leases. What never changes in a service's
# chart is named one by one.
apiVersion: v1
kind: ServiceAccount
metadata:
  name: glidepath
  labels: {{- .labels | nindent 4 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: glidepath
  labels: {{- .labels | nindent 4 }}
rules:
- {apiGroups: [apps], resources: [deployments{{ if $perVersion }}, statefulsets{{ end }}], verbs: [get, list, watch, create, update, patch, delete]}
- {apiGroups: [autoscaling], resources: [horizontalpodautoscalers], verbs: [get, list, watch, create, update, patch, delete]}
{{- if $keda }}
- {apiGroups: [keda.sh], resources: [scaledobjects], verbs: [get, list, watch, create, update, patch, delete]}
{{- end }}
{{- if $perVersion }}
{{- range $group, $resources := dict "" "services, configmaps, serviceaccounts" "policy" "poddisruptionbudgets" "batch" "jobs, cronjobs" "networking.k8s.io" "ingresses, networkpolicies" "monitoring.coreos.com" "servicemonitors, podmonitors, prometheusrules" }}
- {apiGroups: [{{ $group | quote }}], resources: [{{ $resources }}], verbs: [get, list, watch, create, update, patch, delete]}
{{- end }}
{{- end }}
- {apiGroups: [networking.istio.io], resources: [virtualservices, destinationrules, gateways], verbs: [get, list, watch, create, update, patch]}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, list, watch, create, update, patch]}
- {apiGroups: [""], resources: [pods, pods/log], verbs: [get, list, watch]}
- {apiGroups: ["", events.k8s.io], resources: [events], verbs: [list, create, patch]}
# Helm keeps its releases in secrets.
- {apiGroups: [""], resources: [secrets], verbs: [get, list, watch, create, update, patch, delete]}
- {apiGroups: [""], resources: [services], resourceNames: [{{ join ", " $names }}], verbs: [get, patch]}
- {apiGroups: [""], resources: [services], verbs: [list, watch]}
- {apiGroups: [""], resources: [serviceaccounts], resourceNames: [{{ join ", " (concat $names $own) }}], verbs: [get, patch]}
{{- if .upgraded }}
- {apiGroups: [rbac.authorization.k8s.io], resources: [roles, rolebindings], resourceNames: [{{ join ", " $own }}], verbs: [get, patch]}
{{- with $shown }}
- {apiGroups: [""], resources: [configmaps], resourceNames: [{{ join ", " . }}], verbs: [get, patch]}
{{- end }}
{{- if .alerts }}
- {apiGroups: [monitoring.coreos.com], resources: [prometheusrules], resourceNames: [glidepath-alerts], verbs: [get, patch]}
{{- end }}
{{- end }}
- {apiGroups: [networking.k8s.io], resources: [networkpolicies], resourceNames: [{{ join ", " $names }}], verbs: [get, patch]}
- {apiGroups: [monitoring.coreos.com], resources: [servicemonitors, podmonitors, prometheusrules], resourceNames: [{{ join ", " $names }}], verbs: [get, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: glidepath
  labels: {{- .labels | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: glidepath}
subjects:
- {kind: ServiceAccount, name: glidepath, namespace: {{ .namespace }}}
{{- if .upgraded }}
{{- $fence := printf "glidepath-%s-%s" .namespace .upgraded }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ $fence }}
  labels: {{- .labels | nindent 4 }}
rules:
- {apiGroups: [admissionregistration.k8s.io], resources: [validatingadmissionpolicies, validatingadmissionpolicybindings], resourceNames: [{{ $fence }}, {{ $fence }}-claim], verbs: [get, patch]}
- {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles, clusterrolebindings], resourceNames: [{{ $fence }}], verbs: [get, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $fence }}
  labels: {{- .labels | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ $fence }}}
subjects:
- {kind: ServiceAccount, name: glidepath, namespace: {{ .namespace }}}
{{- end }}
{{- end }}
