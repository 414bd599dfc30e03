// What the ARM Architecture Reference Manual (DDI 0406C) defines: address types, registers,
// descriptors, the stage-2 walk, TLB entries. What KVM does with them stands in Kernel/.
