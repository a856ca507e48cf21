//! A struct behind a pointer without a type: what `void *data` is, is told by the calls that it is
//! handed to.

use super::{Asked, Ctx, Held};
use kwhy_base::ImageAddr;
use kwhy_flow::scene::Scene;
use kwhy_flow::value::{Node, Value};
use kwhy_image::{Type, TypeId};

/// The question in terms of a struct, where the calls of the function tell which one it is.
pub fn typed(ctx: &Ctx<'_, '_, '_>, asked: &Asked) -> Option<Asked> {
    if !matches!(asked.held, Held::Pointee { .. }) {
        return None;
    }
    let (index, at) = asked.load;
    let scene = ctx.scenes.of(index, at)?;
    let access = scene.accesses(at).into_iter().find(|access| access.address.is_some())?;
    let address =
        access.address.filter(|address| address.node.is_some() && access.memory.segment.is_none())?;
    let offset = u64::try_from(address.plus).ok()?;
    let base = Value { plus: 0, ..address };
    let mut as_pointer: Option<TypeId> = None;
    let mut as_member: Vec<TypeId> = Vec::new();
    for (call, _) in scene.calls() {
        let Some(callee) = scene.callee_name(call) else { continue };
        let Some(prototype) = scene.image.prototype(crate::names::base_name(&callee), near(&scene)) else {
            continue;
        };
        let records: Vec<Option<TypeId>> =
            prototype.parameters.iter().map(|(_, ty)| ty.and_then(|ty| pointee(&scene, ty))).collect();
        for (position, record) in records.iter().enumerate() {
            if let Some(record) = record
                && scene.argument(call, position) == Some(base)
            {
                as_pointer = as_pointer.or(Some(*record));
            }
        }
        // A clone is handed the member instead of the struct; its source still says which one.
        let hands_member = crate::names::base_name(&callee) != callee
            && (0..records.len().max(4)).any(|position| {
                scene
                    .argument(call, position)
                    .and_then(|value| value.node)
                    .and_then(|id| scene.node(id))
                    .is_some_and(|node| matches!(node, Node::Load { address: from, .. } if from == address))
            });
        if hands_member {
            as_member.extend(records.into_iter().flatten());
        }
    }
    let candidates: Vec<TypeId> = match as_pointer {
        Some(record) => vec![record],
        None => as_member,
    };
    let fits = candidates.into_iter().filter_map(|record| {
        let name = member(&scene, record, offset, asked.size)?;
        Some((scene.image.type_name(record), name))
    });
    let mut fits: Vec<(String, String)> = fits.collect();
    fits.sort();
    fits.dedup();
    match fits.as_slice() {
        [(record, member)] => Some(Asked {
            held: Held::Member { record: record.clone(), member: member.clone(), offset },
            text: format!("(({record} *){})->{member}", pointer(&scene, at, base)),
            ..asked.clone()
        }),
        _ => None,
    }
}

fn pointer(scene: &Scene<'_, '_>, at: ImageAddr, base: Value) -> String {
    scene.in_words(at, base).unwrap_or_else(|| "\u{2026}".to_owned())
}

/// An address in the function's unit: not its entry, before which there may be patched instructions.
fn near(scene: &Scene<'_, '_>) -> ImageAddr {
    let range = scene.function.as_ref().and_then(|function| function.ranges.first());
    range.map_or(scene.code.entry, |range| ImageAddr(range.end.0.saturating_sub(1)))
}

fn pointee(scene: &Scene<'_, '_>, ty: TypeId) -> Option<TypeId> {
    let Type::Pointer(to) = scene.image.strip(ty) else { return None };
    matches!(scene.image.strip(to), Type::Record(_)).then_some(to)
}

/// The member of a struct at exactly this offset, of this size.
fn member(scene: &Scene<'_, '_>, record: TypeId, offset: u64, size: u64) -> Option<String> {
    let Type::Record(of) = scene.image.strip(record) else { return None };
    let found = of.members.iter().find(|member| {
        member.offset == offset && scene.image.size_of(member.ty) == Some(size) && member.bits.is_none()
    })?;
    found.name.as_deref().map(str::to_owned)
}
