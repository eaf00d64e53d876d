// Environment variables by which programs find the authorities that they trust. Many bring their own list and look only here; the
// bundle that is mounted over the system's own serves the rest.

/**
 * What to set inside, so that programs trust the session's authority.
 * @param caPath the session's authority alone, PEM: for programs that add it to their own list
 * @param bundlePath everything that programs should trust, PEM: for programs that replace their list by it
 */
export function trustEnv(caPath: string, bundlePath: string): Readonly<Record<string, string>> {
  return {
    // Node, and what is built on it: npm, claude, qwen, gemini, opencode (Bun)
    NODE_EXTRA_CA_CERTS: caPath,
    // OpenSSL, Go, Ruby, rustls-native-certs (codex), uv
    SSL_CERT_FILE: bundlePath,
    // curl and libcurl
    CURL_CA_BUNDLE: bundlePath,
    // git, which tells libcurl itself
    GIT_SSL_CAINFO: bundlePath,
    // Python requests, with certifi's own list otherwise; pip
    REQUESTS_CA_BUNDLE: bundlePath,
    PIP_CERT: bundlePath,
    // httplib2, botocore and the AWS command line
    HTTPLIB2_CA_CERTS: bundlePath,
    AWS_CA_BUNDLE: bundlePath,
    // Deno, cargo, gcloud, Nix, Yarn, conda, gRPC core
    DENO_CERT: caPath,
    CARGO_HTTP_CAINFO: bundlePath,
    CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE: bundlePath,
    NIX_SSL_CERT_FILE: bundlePath,
    YARN_HTTPS_CA_FILE_PATH: bundlePath,
    CONDA_SSL_VERIFY: bundlePath,
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: bundlePath,
  };
}
