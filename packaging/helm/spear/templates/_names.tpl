{{- define "spear.name" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- define "spear.selector" -}}
app.kubernetes.io/name: spear
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}
{{- define "spear.labels" -}}
{{ include "spear.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- end -}}
{{- define "spear.hosts" -}}
{{ include "spear.name" . }},
{{- include "spear.name" . }}.{{ .Release.Namespace }},
{{- include "spear.name" . }}.{{ .Release.Namespace }}.svc,
{{- include "spear.name" . }}.{{ .Release.Namespace }}.svc.cluster.local
{{- range $index, $host := .Values.httpHosts }},{{ $host }}{{ end }}
{{- end -}}
