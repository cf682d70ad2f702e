# Sourced by ./mvnw and ./quern (POSIX sh). find_jdk sets QUERN_JDK to the home of a JDK 25.0.3 or later, or explains.
#
# QUERN_JAVA_HOME decides alone when it is set. Otherwise JAVA_HOME, then `java` on the PATH, where they are new enough;
# otherwise the newest JDK in the usual places. Versions come from each JDK's `release` file: nothing is started.

QUERN_JDK_NEEDED=25.0.3
QUERN_JDK_PLACES="/usr/lib/jvm/*
${SDKMAN_DIR:-${HOME-}/.sdkman}/candidates/java/*
/opt/*jdk*
/Library/Java/JavaVirtualMachines/*/Contents/Home
${HOME-}/.jdks/*"

# "25.0.3+9" -> 25000003; anything that is no version -> 0
jdk_number() {
  _v=${1%%[!0-9.]*}.0.0
  _major=${_v%%.*} _v=${_v#*.}
  _minor=${_v%%.*} _v=${_v#*.}
  _patch=${_v%%.*}
  printf '%s\n' "$((${_major:-0} * 1000000 + ${_minor:-0} * 1000 + ${_patch:-0}))"
}

# the number of the JDK at $1; 0 where there is no JDK (a JRE has no javac)
jdk_at() {
  _version=
  if [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ]; then
    _version=$(sed -n 's/^JAVA_VERSION="\{0,1\}\([^"]*\)"\{0,1\}.*/\1/p' "$1/release")
  fi
  jdk_number "$_version"
}

# $1 with every symbolic link at its end followed
follow_links() {
  _path=$1
  while [ -L "$_path" ]; do
    _link=$(readlink "$_path")
    case $_link in
      /*) _path=$_link ;;
      *) _path=$(dirname -- "$_path")/$_link ;;
    esac
  done
  printf '%s\n' "$_path"
}

find_jdk() {
  _least=$(jdk_number "$QUERN_JDK_NEEDED")
  QUERN_JDK=

  if [ -n "${QUERN_JAVA_HOME-}" ]; then
    if [ "$(jdk_at "$QUERN_JAVA_HOME")" -ge "$_least" ]; then
      QUERN_JDK=$QUERN_JAVA_HOME
      return 0
    fi
    echo "quern: QUERN_JAVA_HOME=$QUERN_JAVA_HOME is no JDK $QUERN_JDK_NEEDED or later: point it at one, or unset it" >&2
    return 1
  fi

  _java=$(command -v java) || _java=
  [ -z "$_java" ] || _java=$(dirname -- "$(dirname -- "$(follow_links "$_java")")")
  for _home in "${JAVA_HOME-}" "$_java"; do
    if [ -n "$_home" ] && [ "$(jdk_at "$_home")" -ge "$_least" ]; then
      QUERN_JDK=$_home
      return 0
    fi
  done

  _newest=$((_least - 1))
  _ifs=$IFS
  IFS='
'
  for _home in $QUERN_JDK_PLACES; do # unquoted: the patterns expand here, one a line
    _number=$(jdk_at "$_home")
    if [ "$_number" -gt "$_newest" ]; then
      _newest=$_number QUERN_JDK=$_home
    fi
  done
  IFS=$_ifs
  [ -z "$QUERN_JDK" ] || return 0

  cat >&2 <<END
quern: needs JDK $QUERN_JDK_NEEDED or later (earlier builds of 25 miscompile vector code), and found none.
  looked at: QUERN_JAVA_HOME, JAVA_HOME, java on the PATH, $(printf '%s' "$QUERN_JDK_PLACES" | tr '\n' ' ')
  get one:   Temurin 25 (adoptium.net, or your package manager's temurin-25-jdk), or: sdk install java 25.0.3-tem
  then:      rerun, with QUERN_JAVA_HOME=<its folder> if it lies elsewhere
END
  return 1
}
