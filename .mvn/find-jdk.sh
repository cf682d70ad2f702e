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

# Functions leave their result in a variable: each $(...) is a process of its own, and all of them took 0.1 s of every start.

# sets _number: "25.0.3+9" -> 25000003; anything that is no version -> 0
jdk_number() {
  _v=${1%%[!0-9.]*}.0.0
  _major=${_v%%.*} _v=${_v#*.}
  _minor=${_v%%.*} _v=${_v#*.}
  _patch=${_v%%.*}
  _number=$((${_major:-0} * 1000000 + ${_minor:-0} * 1000 + ${_patch:-0}))
}

# sets _number to that of the JDK at $1; 0 where there is no JDK (a JRE has no javac)
jdk_at() {
  _version=
  if [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ]; then
    while IFS='="' read -r _key _rest || [ -n "$_key" ]; do
      if [ "$_key" = JAVA_VERSION ]; then
        _version=${_rest#\"}
        break
      fi
    done <"$1/release"
  fi
  jdk_number "$_version"
}

# sets _path: $1 with every symbolic link at its end followed; $1 has a slash
follow_links() {
  _path=$1
  while [ -L "$_path" ]; do
    _link=$(readlink "$_path")
    case $_link in
      /*) _path=$_link ;;
      *) _path=${_path%/*}/$_link ;;
    esac
  done
}

find_jdk() {
  jdk_number "$QUERN_JDK_NEEDED"
  _least=$_number
  QUERN_JDK=

  if [ -n "${QUERN_JAVA_HOME-}" ]; then
    jdk_at "$QUERN_JAVA_HOME"
    if [ "$_number" -ge "$_least" ]; then
      QUERN_JDK=$QUERN_JAVA_HOME
      return 0
    fi
    echo "quern: QUERN_JAVA_HOME=$QUERN_JAVA_HOME is no JDK $QUERN_JDK_NEEDED or later: point it at one, or unset it" >&2
    return 1
  fi

  _java=$(command -v java) || _java=
  case $_java in
    */*)
      follow_links "$_java"
      _java=${_path%/*} # without /java, and then without /bin
      case $_java in
        */*) _java=${_java%/*} ;;
        *) _java=. ;;
      esac
      ;;
    *) _java= ;; # none, or an alias
  esac
  for _home in "${JAVA_HOME-}" "$_java"; do
    [ -n "$_home" ] || continue
    jdk_at "$_home"
    if [ "$_number" -ge "$_least" ]; then
      QUERN_JDK=$_home
      return 0
    fi
  done

  _newest=$((_least - 1))
  _ifs=$IFS
  IFS='
'
  for _home in $QUERN_JDK_PLACES; do # unquoted: the patterns expand here, one a line
    jdk_at "$_home"
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
