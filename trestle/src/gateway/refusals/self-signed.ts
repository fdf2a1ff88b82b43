/** Certificates that sign themselves, valid for 100 years; made for tests, and known to nobody who could trust them. */

/** For 127.0.0.1. */
export const selfSigned = {
  key: [
    '-----BEGIN PRIVATE KEY-----',
    'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgrYJuxujnhJuyJ/jq',
    'QXxQ5ALVD8Ckj6k4S3o48wnOxA6hRANCAATbx+6IELz1bjaseL2StK8adM3+yWo5',
    '78rIHynUD61Brqh5hUaDQWYViPWw356jbGEEIH3W9I1akqBZOOckbS6X',
    '-----END PRIVATE KEY-----',
  ].join('\n'),
  cert: [
    '-----BEGIN CERTIFICATE-----',
    'MIIBljCCATygAwIBAgIUfUFZ/apXJgaQH6uItcsa1PRVAogwCgYIKoZIzj0EAwIw',
    'FzEVMBMGA1UEAwwMdHJlc3RsZSB0ZXN0MCAXDTI2MTEyMTA1MjM1MloYDzIxMjYx',
    'MDI4MDUyMzUyWjAXMRUwEwYDVQQDDAx0cmVzdGxlIHRlc3QwWTATBgcqhkjOPQIB',
    'BggqhkjOPQMBBwNCAATbx+6IELz1bjaseL2StK8adM3+yWo578rIHynUD61Brqh5',
    'hUaDQWYViPWw356jbGEEIH3W9I1akqBZOOckbS6Xo2QwYjAdBgNVHQ4EFgQUqRBf',
    'QTP66IMgxhxJ1EbiAsCRewMwHwYDVR0jBBgwFoAUqRBfQTP66IMgxhxJ1EbiAsCR',
    'ewMwDwYDVR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMC',
    'A0gAMEUCIQCtSxwyoLGT+Rp4Fu+RemE6NQjQD+z1x7k0abgINBzC6AIgbGAm8R6L',
    'JirekNGumNZIW6z+ihjaFzN7pvM+t/2kNLI=',
    '-----END CERTIFICATE-----',
  ].join('\n'),
}

/** For another host. */
export const selfSignedForOther = {
  key: [
    '-----BEGIN PRIVATE KEY-----',
    'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgvyHhL4CZpyB8c2mS',
    'sz/RxB8Zliqlzy3zkYpe475KSkGhRANCAAT8+MPIG7Pq6gcI+hQRouipSQ3/lTVv',
    'eHYIgpqy+wRLYvEM+QkhJBLcUownGxHTpCySMHlTQXKTxq80pngNXhka',
    '-----END PRIVATE KEY-----',
  ].join('\n'),
  cert: [
    '-----BEGIN CERTIFICATE-----',
    'MIIBpzCCAU6gAwIBAgIUcfvqJeIonwcQmrGNW68PWKTm8dYwCgYIKoZIzj0EAwIw',
    'HTEbMBkGA1UEAwwSdHJlc3RsZSB0ZXN0IG90aGVyMCAXDTI2MTEyMTA1MjM1MloY',
    'DzIxMjYxMDI4MDUyMzUyWjAdMRswGQYDVQQDDBJ0cmVzdGxlIHRlc3Qgb3RoZXIw',
    'WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT8+MPIG7Pq6gcI+hQRouipSQ3/lTVv',
    'eHYIgpqy+wRLYvEM+QkhJBLcUownGxHTpCySMHlTQXKTxq80pngNXhkao2owaDAd',
    'BgNVHQ4EFgQUO04OMIsIX7LmjkseUb8uid0QCycwHwYDVR0jBBgwFoAUO04OMIsI',
    'X7LmjkseUb8uid0QCycwDwYDVR0TAQH/BAUwAwEB/zAVBgNVHREEDjAMggpvdGhl',
    'ci50ZXN0MAoGCCqGSM49BAMCA0cAMEQCIHOiqT56Njmww6bUUPR7fLe0y3YpfmWd',
    'mXScd+yrjnpEAiBzLgY4pflb9X4Uc+UNjsi/8BTwGxh9f+uyl9k/MQ2NKA==',
    '-----END CERTIFICATE-----',
  ].join('\n'),
}
