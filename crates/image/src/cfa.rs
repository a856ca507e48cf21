//! The canonical frame address, from call frame information.

use crate::image::Image;
use gimli::{BaseAddresses, CfaRule, UnwindContext, UnwindSection};
use kwhy_base::{ImageAddr, Reg};

impl Image<'_> {
    pub(crate) fn find_cfa(&self, address: ImageAddr) -> Option<(Reg, i64)> {
        let debug = self.debug()?;
        let bases = BaseAddresses::default();
        let mut context = UnwindContext::new();
        let row = debug
            .frames
            .unwind_info_for_address(&bases, &mut context, address.0, gimli::DebugFrame::cie_from_offset)
            .ok()?;
        match *row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => Some((Reg(register.0), offset)),
            CfaRule::Expression(_) => None,
        }
    }
}
