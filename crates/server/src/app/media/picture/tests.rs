use image::{Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

/// A picture with a different color everywhere: red grows to the right, green downward.
fn gradient(width: u32, height: u32) -> RgbImage {
    let part = |at: u32, of: u32| u8::try_from(at * 255 / of.max(1)).unwrap();
    RgbImage::from_fn(width, height, |x, y| Rgb([part(x, width), part(y, height), 9]))
}

fn encoded(kind: Kind, width: u32, height: u32) -> Vec<u8> {
    let picture = DynamicImage::from(gradient(width, height));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, kind.format()).unwrap();
    bytes.into_inner()
}

/// EXIF that names a place and says how the picture stands.
fn exif(orientation: u8) -> Vec<u8> {
    let mut bytes = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    bytes.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0]);
    bytes.extend_from_slice(b"SECRET 52.5200 N 13.4050 E");
    bytes
}

fn png_chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = !0_u32;
    for byte in name.iter().chain(data) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], &name, data, &(!crc).to_be_bytes()].concat()
}

/// The picture with EXIF, comments and rubbish behind its end.
fn with_secrets(kind: Kind, orientation: u8) -> Vec<u8> {
    let bytes = encoded(kind, 40, 30);
    let exif = exif(orientation);
    match kind {
        Kind::Jpeg => {
            let segment = |marker: u8, data: &[u8]| {
                let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
                [&[0xff, marker][..], &length, data].concat()
            };
            let app1 = segment(0xe1, &[b"Exif\0\0", &exif[..]].concat());
            let xmp = segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0SECRET");
            let note = segment(0xfe, b"SECRET");
            [&bytes[..2], &app1, &xmp, &note, &bytes[2..], b"SECRET"].concat()
        }
        Kind::Png => {
            let head = 8 + 25;
            let text = png_chunk(*b"tEXt", b"Author\0SECRET");
            let exif = png_chunk(*b"eXIf", &exif);
            [&bytes[..head], &text, &exif, &bytes[head..], b"SECRET"].concat()
        }
        Kind::Gif => {
            let comment = b"\x21\xfe\x06SECRET\0";
            let head = 13 + if bytes[10] & 0x80 == 0 { 0 } else { 3 << ((bytes[10] & 7) + 1) };
            [&bytes[..head], comment, &bytes[head..], b"SECRET"].concat()
        }
        Kind::WebP => {
            let chunk = |name: &[u8], data: &[u8]| {
                let length = u32::try_from(data.len()).unwrap().to_le_bytes();
                let pad: &[u8] = if data.len() % 2 == 1 { &[0] } else { &[] };
                [name, &length, data, pad].concat()
            };
            let extended = chunk(b"VP8X", &[0x0c, 0, 0, 0, 39, 0, 0, 29, 0, 0]);
            let body = [
                b"WEBP",
                &extended[..],
                &bytes[12..],
                &chunk(b"EXIF", &exif),
                &chunk(b"XMP ", b"SECRET"),
            ]
            .concat();
            [chunk(b"RIFF", &body), b"SECRET".to_vec()].concat()
        }
    }
}

const ALL: [Kind; 4] = [Kind::Png, Kind::Jpeg, Kind::Gif, Kind::WebP];

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn what_a_picture_tells_of_its_maker_is_taken_out() {
    for kind in ALL {
        let before = with_secrets(kind, 1);
        assert!(has(&before, b"SECRET"));
        let after = clean(kind, &before).unwrap();
        assert!(!has(&after.bytes, b"SECRET") && !has(&after.bytes, b"Exif"), "{kind:?}");
        assert_eq!((after.width, after.height), (40, 30), "{kind:?}");
        // Not one pixel is another.
        let pixels = |bytes: &[u8]| decode(kind, bytes).unwrap().0.into_rgb8();
        assert_eq!(pixels(&after.bytes), pixels(&encoded(kind, 40, 30)), "{kind:?}");
        // A clean one stays as it is.
        assert_eq!(clean(kind, &after.bytes).unwrap(), after, "{kind:?}");
    }
}

#[test]
fn a_picture_on_its_side_is_turned() {
    for kind in [Kind::Png, Kind::Jpeg, Kind::WebP] {
        let after = clean(kind, &with_secrets(kind, 6)).unwrap();
        assert_eq!((after.width, after.height), (30, 40), "{kind:?}");
        assert!(!has(&after.bytes, b"SECRET"), "{kind:?}");
        let picture = decode(kind, &after.bytes).unwrap().0.into_rgb8();
        // A quarter to the right: what was at the bottom left is at the top left.
        let Rgb([red, green, _]) = *picture.get_pixel(0, 0);
        assert!(red < 30 && green > 220, "{kind:?}: {red} {green}");
    }
}

#[test]
fn headers_are_believed_before_anything_is_decoded() {
    let wide = 60_000_u32;
    let header = [&wide.to_be_bytes()[..], &wide.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    let png = [
        png::SIGNATURE,
        &png_chunk(*b"IHDR", &header),
        &png_chunk(*b"IDAT", &[0; 10]),
        &png_chunk(*b"IEND", &[]),
    ]
    .concat();
    let huge = PictureError::TooManyPixels { width: wide, height: wide };
    assert_eq!(clean(Kind::Png, &png), Err(huge));
    assert!(thumb(Kind::Png, &png, 64).is_err());

    let mut jpeg = encoded(Kind::Jpeg, 8, 8);
    let at = jpeg.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    jpeg[at + 5..at + 9].copy_from_slice(&[0xff; 4]);
    let huge = PictureError::TooManyPixels { width: 65_535, height: 65_535 };
    assert_eq!(clean(Kind::Jpeg, &jpeg), Err(huge));

    let mut gif = encoded(Kind::Gif, 8, 8);
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert_eq!(clean(Kind::Gif, &gif), Err(huge));

    let mut webp = encoded(Kind::WebP, 8, 8);
    webp[21..25].copy_from_slice(&[0xff; 4]);
    let huge = PictureError::TooManyPixels { width: 16_384, height: 16_384 };
    assert_eq!(clean(Kind::WebP, &webp), Err(huge));
}

#[test]
fn pictures_do_not_move_forever() {
    let frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
    let gif = |frames: usize| {
        let mut bytes = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
        bytes.extend(frame.repeat(frames));
        bytes.push(0x3b);
        bytes
    };
    assert!(clean(Kind::Gif, &gif(500)).is_ok());
    assert_eq!(clean(Kind::Gif, &gif(501)), Err(PictureError::TooManyFrames));
    assert_eq!(clean(Kind::Gif, &gif(0)), Err(PictureError::Damaged));
    let still = encoded(Kind::Png, 4, 4);
    let frames = png_chunk(*b"acTL", &[0, 0, 2, 0, 0, 0, 0, 0]);
    let moving = [&still[..33], &frames, &still[33..]].concat();
    assert_eq!(clean(Kind::Png, &moving), Err(PictureError::TooManyFrames));
}

#[test]
fn what_is_cut_or_mangled_is_refused_and_never_panics() {
    for kind in ALL {
        let whole = with_secrets(kind, 6);
        for length in 0..whole.len() {
            // Where it was cut decides whether there is something to show; nothing panics.
            if let Ok(clean) = clean(kind, &whole[..length]) {
                assert!(!has(&clean.bytes, b"SECRET"), "{kind:?} cut at {length}");
            }
        }
        for at in 0..whole.len().min(300) {
            for value in [0, 0xff, whole[at] ^ 1] {
                let mut mangled = whole.clone();
                mangled[at] = value;
                let _ = clean(kind, &mangled).map(|clean| thumb(kind, &clean.bytes, 8));
            }
        }
        assert_eq!(clean(kind, b""), Err(PictureError::Damaged));
    }
}

#[test]
fn small_pictures_keep_their_shape_and_what_one_sees_through() {
    for kind in ALL {
        let bytes = thumb(kind, &encoded(kind, 600, 300), 64).unwrap();
        let small = image::load_from_memory(&bytes).unwrap();
        assert_eq!((small.width(), small.height()), (64, 32), "{kind:?}");
    }
    let bytes = thumb(Kind::Jpeg, &encoded(Kind::Jpeg, 10, 1000), 64).unwrap();
    assert!(bytes.starts_with(&[0xff, 0xd8]));
    let same = image::load_from_memory(&bytes).unwrap();
    assert_eq!((same.width(), same.height()), (10, 1000));
    let line = thumb(Kind::Png, &encoded(Kind::Png, 1000, 1), 64).unwrap();
    assert_eq!(image::load_from_memory(&line).unwrap().height(), 1);

    let glass = DynamicImage::from(RgbaImage::from_pixel(100, 100, Rgba([1, 2, 3, 0])));
    let mut bytes = Cursor::new(Vec::new());
    glass.write_to(&mut bytes, ImageFormat::Png).unwrap();
    let bytes = thumb(Kind::Png, &bytes.into_inner(), 64).unwrap();
    assert!(bytes.starts_with(png::SIGNATURE));
    assert_eq!(image::load_from_memory(&bytes).unwrap().into_rgba8().get_pixel(5, 5).0[3], 0);
}
