#!/usr/bin/env bash
# Renews the vendored chart library in src/evenkeel/monitor/assets. For maintainers; users need no Node.
#
# Downloads the pinned npm archive, checks its sha512, takes the standalone build and the licence, and checks the
# sha256 of every vendored file. The NOTICE is not in the archive: it is kept from the source repository by hand.
set -euo pipefail

VERSION=5.2.1
ARCHIVE_SHA512=215c282b544b1622cfb9b68a22335bb6358b9e93ccaa20014ab4dacbac2198d6bc2f5fb5f76f7656d1c9f815b23d4b8b0b0174b5c42584459dd422c1d9ad67b1
SCRIPT_SHA256=e21cc5caa0226ef30bd8549c50b9ef926615f2a4ee6b4e486353477a55f598cf
LICENSE_SHA256=70c9d5382506dd184465425c08a99ad9bd6d9ac1313c252968ba0b585e5ef823
NOTICE_SHA256=f76c6afab94884448f0426e30d6e9d555ca7247894cd3484e477d2f87513036e

assets="$(cd "$(dirname "$0")/../src/evenkeel/monitor/assets" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

cd "$work"
npm pack --silent "lightweight-charts@${VERSION}" > /dev/null
echo "${ARCHIVE_SHA512}  lightweight-charts-${VERSION}.tgz" | sha512sum --check --quiet
tar -xzf "lightweight-charts-${VERSION}.tgz"

install -m 644 package/dist/lightweight-charts.standalone.production.js "$assets/"
install -m 644 package/LICENSE "$assets/LICENSE.lightweight-charts"

cd "$assets"
sha256sum --check --quiet <<SUMS
${SCRIPT_SHA256}  lightweight-charts.standalone.production.js
${LICENSE_SHA256}  LICENSE.lightweight-charts
${NOTICE_SHA256}  NOTICE.lightweight-charts
SUMS
echo "lightweight-charts ${VERSION} is in ${assets}; every sum is as pinned"
