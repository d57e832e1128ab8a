/** The keys of fw_cfg's items (QEMU, docs/specs/fw_cfg.rst, and the numbers that SeaBIOS reads). */

/** Items by name. Values are little-endian numbers unless they are data. */
export const fwCfgKey = {
  signature: 0x00,
  id: 0x01,
  uuid: 0x02,
  ramSize: 0x03,
  noGraphic: 0x04,
  cpus: 0x05,
  kernelAddress: 0x07,
  kernelSize: 0x08,
  initrdAddress: 0x0a,
  initrdSize: 0x0b,
  numa: 0x0d,
  bootMenu: 0x0e,
  maxCpus: 0x0f,
  kernelData: 0x11,
  initrdData: 0x12,
  commandLineAddress: 0x13,
  commandLineSize: 0x14,
  commandLineData: 0x15,
  setupAddress: 0x16,
  setupSize: 0x17,
  setupData: 0x18,
  fileDirectory: 0x19,
  firstFile: 0x20,
  irq0Override: 0x8002,
} as const
