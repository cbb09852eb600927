#!/bin/sh
# Makes the two font files of this folder again, from their npm package and with fonttools from PyPI:
#   fonts/subset.sh [FOLDER]      (writes into FOLDER, by default this one)
# Needs npm, tar and python3 with venv. Same package, same tool: same octets.
#
# Kept: ASCII, Latin-1, the 2,350 Hangul syllables of KS X 1001 and common punctuation. Dropped: hints, layout tables,
# vertical metrics, names in use by nobody. The copyright notice stays in the name table; the font's name is neither
# changed nor is it reserved (reserved is "Source" alone, see OFL.txt).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$work"
npm pack --silent @expo-google-fonts/noto-sans-kr@0.4.3 >/dev/null
tar xzf expo-google-fonts-noto-sans-kr-0.4.3.tgz
python3 -m venv tools
tools/bin/pip install --quiet fonttools==4.68.0

# Rows 16 to 40 of KS X 1001 are its Hangul.
tools/bin/python - >hangul.txt <<'EOF'
rows, cells = range(0xB0, 0xC9), range(0xA1, 0xFF)
print("".join(bytes([row, cell]).decode("euc_kr") for row in rows for cell in cells))
EOF
punctuation="U+2010-2015,U+2018-201D,U+2022,U+2026,U+2032,U+2033,U+20A9,U+20AC,U+2190-2193,U+2212,U+3000-3002,U+3008-3011"

for weight in 400Regular 700Bold; do
    name=NotoSansKR-${weight#[0-9][0-9][0-9]}.ttf
    tools/bin/pyftsubset "package/$weight/NotoSansKR_$weight.ttf" \
        --output-file="$out/$name" \
        --text-file=hangul.txt \
        --unicodes="U+0020-007E,U+00A0-00FF,$punctuation" \
        --no-hinting --desubroutinize --notdef-outline --no-recalc-timestamp \
        --layout-features='' --no-layout-closure \
        --drop-tables+=GSUB,GPOS,GDEF,BASE,STAT,vhea,vmtx,gasp,prep,DSIG \
        --name-IDs=0,1,2,3,4,5,6,13,14
    ls -l "$out/$name"
done
cp package/LICENSE_FONT "$out/OFL.txt"
