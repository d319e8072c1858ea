/** A certificate for localhost, signed by itself and good for a century, with its key: for tests, and secret to nobody. */

export const certificate = `-----BEGIN CERTIFICATE-----
MIIBZzCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjQwMTAxMDAwMDAwWhgPMjEyNDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABIKBqtQHu/hUb+cB
xukvEmVGnGT0OtSIuUC9msxN2yYVYOwTBx5G7To0e0GUPIf/gz6LQziUmuaar5p7
QZxlx0yjTjBMMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAPBgNVHRMBAf8E
BTADAQH/MB0GA1UdDgQWBBS3PK+nhHfK9LZcW8wWlgGmheV28DAKBggqhkjOPQQD
AgNIADBFAiBPTcV8+cSBpCHt4gfcudacA2847d/Q7VhK/GHsifma5AIhAK42kjEi
F8cU6TwQG3myye6XEvmpPThPwtFsi1Ul8u9y
-----END CERTIFICATE-----
`;

export const certificateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+yT2qjbsKIUDpri2
7KKXQTmXPwoT6eAFD5a2Mm7TRmihRANCAASCgarUB7v4VG/nAcbpLxJlRpxk9DrU
iLlAvZrMTdsmFWDsEwceRu06NHtBlDyH/4M+i0M4lJrmmq+ae0GcZcdM
-----END PRIVATE KEY-----
`;
