"""Image files: which files count as images, and their pixels as a person sees them."""

from bcls.pictures.files import decoded_formats, image_extensions, is_image_file, opened_formats
from bcls.pictures.opening import open_picture, picture_fault, unreadable_reason, upright_rgb

__all__ = [
    "decoded_formats",
    "image_extensions",
    "is_image_file",
    "open_picture",
    "opened_formats",
    "picture_fault",
    "unreadable_reason",
    "upright_rgb",
]
