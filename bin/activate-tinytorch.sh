# Source this from bash or zsh, in any directory:  source bin/activate-tinytorch.sh
# Makes .venv beside it when missing, installs the project editable with what a student needs, and activates it.
# TINYTORCH_DEV=1 before it adds what developers need; TINYTORCH_VENV names another place. A second call sees by a
# checksum of pyproject.toml that nothing has changed, and needs no network.

_tinytorch_say() { printf 'tinytorch: %s\n' "$*" >&2; }

_tinytorch_python() {
    # The first Python on the path that is new enough.
    local candidate
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

_tinytorch_install() {
    # $1: the project's root; $2: the environment; $3: the checksum that a finished installation leaves behind;
    # $4: the extra of pyproject.toml.
    local python
    if [ ! -x "$2/bin/python" ] || ! "$2/bin/python" -c '' >/dev/null 2>&1; then
        if ! python=$(_tinytorch_python); then
            _tinytorch_say "Python 3.11 or newer is needed and was not found"
            return 1
        fi
        _tinytorch_say "making $2 with $("$python" --version)"
        if ! "$python" -m venv --clear "$2"; then
            _tinytorch_say "could not make $2; on Debian or Ubuntu install the package python3-venv"
            return 1
        fi
    fi
    _tinytorch_say "installing (a minute the first time)"
    if ! "$2/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$1[$4]" >&2; then
        _tinytorch_say "the installation failed; with a network, source this file again to continue"
        return 1
    fi
    printf '%s\n' "$3" >"$2/.tinytorch-installed"
}

_tinytorch_activate() {
    local root environment installed wanted extra
    root=$(CDPATH='' cd -- "$(dirname -- "$1")/.." && pwd -P) || return 1
    environment=${TINYTORCH_VENV:-$root/.venv}
    wanted="$(cksum <"$root/pyproject.toml") $root"
    installed=$(cat "$environment/.tinytorch-installed" 2>/dev/null || :)
    extra=student
    if [ "${TINYTORCH_DEV:-}" = 1 ] || [ "$installed" = "$wanted dev" ]; then extra=dev; fi
    if [ "$installed" != "$wanted $extra" ] || [ ! -x "$environment/bin/tito" ]; then
        _tinytorch_install "$root" "$environment" "$wanted $extra" "$extra" || return 1
    fi
    . "$environment/bin/activate"
}

if [ -n "${ZSH_VERSION:-}" ]; then
    eval '_tinytorch_file=${(%):-%x}'
else
    _tinytorch_file=${BASH_SOURCE[0]}
fi
_tinytorch_status=0
_tinytorch_activate "$_tinytorch_file" || _tinytorch_status=1
unset -f _tinytorch_say _tinytorch_python _tinytorch_install _tinytorch_activate
unset _tinytorch_file
if [ "$_tinytorch_status" -ne 0 ]; then
    unset _tinytorch_status
    return 1
fi
unset _tinytorch_status
