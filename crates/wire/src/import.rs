//! Records of `POST /v1/admin/imports`.
