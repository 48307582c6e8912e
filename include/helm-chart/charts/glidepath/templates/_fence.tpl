{{/* The fence of one service. Needs a dict: namespace, service (its name), labels (of each object, as YAML). */}}
{{- define "glidepath.fence" -}}
# The fence of a release. An object that a release holds can only be changed with a token that is not lower than its own,
# and not be deleted: whoever holds the release marks it open first. So a stale writer is refused by the cluster.
# What applies a whole object (helm, kubectl apply, a GitOps controller) knows nothing of the release, and carries its token
# unwittingly: it may not change the spec of what is held, unless it raises the count of Glidepath's own writes through
# Helm. An edit of a person passes. When a release has ended its objects are open, and everything passes.
{{- $name := printf "glidepath-%s-%s" .namespace .service }}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ $name }}
  labels: {{- .labels | nindent 4 }}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: ["*"], operations: [UPDATE, DELETE], resources: [deployments, deployments/status, statefulsets, statefulsets/status]}
    - apiGroups: [networking.istio.io]
      apiVersions: ["*"]
      operations: [UPDATE, DELETE]
      resources: [virtualservices, destinationrules]
  matchConditions:
  - name: held
    expression: >-
      oldObject.metadata.?annotations[?'glidepath.dev/state'].orValue('') == 'held'
  - name: not-cleanup
    expression: >-
      !(request.userInfo.username in ['system:serviceaccount:kube-system:namespace-controller',
      'system:serviceaccount:kube-system:generic-garbage-collector'])
  variables:
  - name: was
    expression: >-
      oldObject.metadata.?annotations[?'glidepath.dev/token'].orValue('0')
  - name: now
    expression: >-
      request.operation == 'DELETE' ? '' : object.metadata.?annotations[?'glidepath.dev/token'].orValue('')
  - name: manager
    expression: >-
      request.options.?fieldManager.orValue('')
  # Server-side applies have an entry of their own; Helm 3, kubectl and Argo CD merge on the client. Whatever name kubectl is
  # given, it writes down what it has applied.
  - name: applied
    expression: >-
      request.operation != 'DELETE' && (variables.manager.startsWith('helm')
      || variables.manager in ['kubectl-client-side-apply', 'argocd-controller', 'kustomize-controller', 'fleetagent', 'kapp']
      || object.metadata.?annotations[?'kubectl.kubernetes.io/last-applied-configuration'].orValue('')
      != oldObject.metadata.?annotations[?'kubectl.kubernetes.io/last-applied-configuration'].orValue('')
      || object.metadata.?managedFields.orValue([]).exists(m, m.?operation.orValue('') == 'Apply' && m.?manager.orValue('') == variables.manager))
  # A number that is written by hand leaves room for a claim to go on above it.
  - name: longest
    expression: >-
      variables.manager == 'glidepath' || variables.manager.startsWith('helm') ? 15 : 12
  - name: writesBefore
    expression: >-
      oldObject.metadata.?annotations[?'glidepath.dev/write'].orValue('0')
  - name: writesNow
    expression: >-
      request.operation == 'DELETE' ? '0' : object.metadata.?annotations[?'glidepath.dev/write'].orValue('0')
  validations:
  - expression: request.operation != 'DELETE'
    messageExpression: >-
      'glidepath.dev/token: a release holds this object (token ' + variables.was + '); in an emergency mark it open first: kubectl annotate --overwrite ... glidepath.dev/state=open'
  - expression: >-
      request.operation == 'DELETE' || (variables.now.matches('^[0-9]{1,15}$') && int(variables.now) >= int(variables.was)
      && (variables.now == variables.was || variables.now.size() <= variables.longest))
    messageExpression: >-
      'glidepath.dev/token: a release holds this object with token ' + variables.was + ', this write has ' + (variables.now == '' ? 'none' : variables.now)
  - expression: >-
      request.operation == 'DELETE' || object.metadata.?labels[?'app'].orValue('') == oldObject.metadata.?labels[?'app'].orValue('')
    messageExpression: >-
      'glidepath.dev/token: a release holds this object with token ' + variables.was + ' and knows it by its label app; in an emergency mark it open first: kubectl annotate --overwrite ... glidepath.dev/state=open'
  - expression: >-
      !variables.applied || variables.manager == 'glidepath' || object.spec == oldObject.spec
      || (variables.writesNow.matches('^[0-9]{1,15}$') && (!variables.writesBefore.matches('^[0-9]{1,15}$') || int(variables.writesNow) > int(variables.writesBefore)))
    messageExpression: >-
      'glidepath.dev/token: a release holds this object with token ' + variables.was + ', and ' + variables.manager + ' applies a whole object without knowing of it; wait for its end, take the release back (kubectl annotate lease/glidepath-{{ .service }} glidepath.dev/take-back=REASON), or edit the one field'
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ $name }}
  labels: {{- .labels | nindent 4 }}
spec:
  policyName: {{ $name }}
  validationActions: [Deny]
  matchResources:
    namespaceSelector:
      matchLabels: {kubernetes.io/metadata.name: {{ .namespace }}}
    objectSelector:
      matchLabels: {app: {{ .service }}}
---
# The claim's Lease: what the watchdog goes by. While a release holds the service nobody deletes it, nor writes its token: if
# Airflow died then, nobody would know of a canary with traffic, or nobody could go on from such a token.
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ $name }}-claim
  labels: {{- .labels | nindent 4 }}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [coordination.k8s.io], apiVersions: [v1], operations: [UPDATE, DELETE], resources: [leases], resourceNames: [glidepath-{{ .service }}]}
  matchConditions:
  - name: held
    expression: >-
      oldObject.spec.?holderIdentity.orValue('') != ''
  - name: not-cleanup
    expression: >-
      !(request.userInfo.username in ['system:serviceaccount:kube-system:namespace-controller',
      'system:serviceaccount:kube-system:generic-garbage-collector'])
  variables:
  - name: was
    expression: >-
      oldObject.metadata.?annotations[?'glidepath.dev/token'].orValue('0')
  - name: now
    expression: >-
      request.operation == 'DELETE' ? '' : object.metadata.?annotations[?'glidepath.dev/token'].orValue('')
  validations:
  - expression: >-
      request.operation == 'DELETE' || variables.now == variables.was || request.options.?fieldManager.orValue('') == 'glidepath'
    messageExpression: >-
      'glidepath.dev/claim: the token of ' + oldObject.spec.holderIdentity + ' is written by Glidepath only; take its canary back with kubectl annotate lease/' + oldObject.metadata.name + ' glidepath.dev/take-back=REASON'
  - expression: request.operation != 'DELETE'
    messageExpression: >-
      'glidepath.dev/claim: ' + oldObject.spec.holderIdentity + ' holds this service; take its canary back with kubectl annotate lease/' + oldObject.metadata.name + ' glidepath.dev/take-back=REASON'
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ $name }}-claim
  labels: {{- .labels | nindent 4 }}
spec:
  policyName: {{ $name }}-claim
  validationActions: [Deny]
  matchResources:
    namespaceSelector:
      matchLabels: {kubernetes.io/metadata.name: {{ .namespace }}}
{{- end }}

{{/* What refuses `helm uninstall` of a service, or of its fence, in mid-release. Needs the same dict. */}}
{{- define "glidepath.uninstall" -}}
# helm uninstall begins with this: a hook makes way for its own object first, and the Lease can't be deleted while a release
# holds the service. Refused later, for the held objects alone, it would have deleted the Service, Glidepath's roles, the
# watchdog and the fence.
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata:
  name: glidepath-{{ .service }}
  labels: {{- .labels | nindent 4 }}
  annotations:
    helm.sh/hook: pre-delete
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
