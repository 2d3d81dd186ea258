# shellcheck shell=bash
# What is wrong with a kubelet's request for a serving certificate. It is read as bytes: names as text can be made to
# look like several, and a second list of names may be seen by the signer alone.

# serving_problem USER GROUPS USAGES PEM ALLOWED: prints what is wrong, nothing where all is as the plan has it.
# GROUPS, USAGES: JSON lists, the second one sorted; ALLOWED: GeneralNames in DER as hexadecimal digits, one a line.
serving_problem() {
  local user=$1 groups=$2 usages=$3 pem=$4 allowed=$5 structure names left
  [[ $groups == *'"system:nodes"'* ]] || { echo "$user is not in the group system:nodes" && return; }
  [[ $usages == '["digital signature","server auth"]' || $usages == '["digital signature","key encipherment","server auth"]' ]] ||
    { echo "its usages are $(printable "$usages")" && return; }
  # One block and nothing beside it, so that openssl and the signer read the same one.
  [[ $pem =~ ^-----BEGIN\ CERTIFICATE\ REQUEST-----$'\n'[A-Za-z0-9+/=$'\n']+-----END\ CERTIFICATE\ REQUEST-----$ ]] ||
    { echo "it is not one request in PEM" && return; }
  [[ $(openssl req -verify -noout <<<"$pem" 2>&1) == *"verify OK"* ]] ||
    { echo "it is not signed by its own key" && return; }
  [[ $(openssl req -noout -subject -nameopt RFC2253 <<<"$pem") == "subject=CN=$user,O=system:nodes" ]] ||
    { echo "its subject is $(printable "$(openssl req -noout -subject -nameopt RFC2253 <<<"$pem")")" && return; }
  structure=$(openssl asn1parse <<<"$pem")
  [[ $(grep --count 'OBJECT  *:\(Microsoft \)\?Extension Request$' <<<"$structure") == 1 &&
  $(grep --count 'OBJECT  *:X509v3 Subject Alternative Name$' <<<"$structure") == 1 ]] ||
    { echo "it has not one list of names" && return; }
  names=$(sed -n '/OBJECT  *:X509v3 Subject Alternative Name$/,/OCTET STRING/s/.*OCTET STRING  *\[HEX DUMP\]://p' <<<"$structure")
  ((${#names} <= 2000)) || { echo "it has ${#names} digits of names" && return; }
  left=$(names_left "${names,,}" "$allowed")
  [[ -z $left ]] || echo "it has a name that is not this node's: $(request_names "$pem")"
}

# The bytes of a list of names that are not allowed, from the first of them on.
names_left() {
  local rest=$1 allowed=$2 name
  case $rest in
    3081*) rest=${rest:6} ;;
    30*) rest=${rest:4} ;;
    *) echo "${rest:-nothing}" && return ;;
  esac
  [[ -n $rest ]] || { echo nothing && return; }
  while [[ -n $rest ]]; do
    for name in $allowed; do
      if [[ $rest == "$name"* ]]; then
        rest=${rest#"$name"}
        continue 2
      fi
    done
    break
  done
  printf %s "$rest"
}

# For people.
request_names() {
  printable "$(openssl req -noout -text <<<"$1" | sed -n '/X509v3 Subject Alternative Name/{n;s/^ *//;p}')"
}

printable() { tr --complement --delete '[:print:]' <<<"$1" | cut --bytes=-300; }
