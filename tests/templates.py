"""Forty templates of other languages, whose braces mean something elsewhere and nothing here."""

from __future__ import annotations

__all__ = ["TEMPLATES"]

JINJA = (
    "Hello {{ user.name }}!",
    "{% for item in items %}{{ item }}{% endfor %}",
    "{{ df }} and {{df}}",
    "{{ items | length }}",
    "{{ super() }}",
    "{{ d['a'][0] }}{{d['a'][0]}}",
    "{%- if cfg.lr -%} {{cfg.lr}} {%- endif -%}",
    "{{ '{{' }} raw {{ '}}' }}",
    "{# a comment with {{df}} #}",
    "{{ config.items() }}",
)
ACTIONS = (
    "runs-on: ${{ matrix.os }}",
    "if: ${{ github.event_name == 'push' }}",
    "token: ${{ secrets.GITHUB_TOKEN }}",
    "key: ${{ runner.os }}-${{ hashFiles('**/lock') }}",
    "python-version: ${{matrix.python}}",
    "run: echo ${{ env.NAME }} {{df}}",
    "with: {path: ${{ steps.build.outputs.path }}}",
    "${{ toJSON(github) }}\n\t${{ needs.test.result }}",
)
LATEX = (
    r"\frac{{a}}{{b}} = \sqrt{{x}}",
    r"$x^{{2}} + y_{{i}}$",
    r"\textbf{{df}} \emph{{cfg.lr}}",
    r"\newcommand{\R}{{\mathbb{R}}}",
    "\\begin{{array}}{{ll}} a & b \\\\ {{c}} \\end{{array}}",
    r"{{{df}}}",
    r"\SI{{10}}{{\meter}}",
    "{{x}}\n\n\t{{y}}",
)
HELM = (
    "replicas: {{ .Values.replicaCount }}",
    '{{- include "chart.fullname" . | nindent 4 }}',
    "{{ range $key, $value := .Values.env }}",
    "image: {{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}",
    "{{- with .Values.nodeSelector }}\n{{- toYaml . | nindent 8 }}\n{{- end }}",
    '{{ if and .Values.a (eq .Release.Name "x") }}{{ end }}',
    "{{/* {{df}} */}}",
)
F_STRINGS = (
    'f"{{df}} is {df}"',
    'print(f"{{{df}}}")',
    "f'{{cfg.lr:.3f}} {{{cfg.lr}}}'",
    '"{{}}".format(df)',
    "f\"{{d['a'][0]}}\"",
    'f"""{{\n{df!r}\n}}"""',
    "'{{' + df + '}}'  # \u200b{{df}}\u00a0 \U0001f40d{{df}}",
)
TEMPLATES = (*JINJA, *ACTIONS, *LATEX, *HELM, *F_STRINGS)
