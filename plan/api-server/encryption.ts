/** Secrets at rest. secretbox is authenticated; aescbc and aesgcm have known weaknesses here. */
export function encryptionConfiguration(key: string) {
  return {
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "EncryptionConfiguration",
    resources: [
      {
        resources: ["secrets"],
        providers: [{ secretbox: { keys: [{ name: "key1", secret: key }] } }, { identity: {} }],
      },
    ],
  };
}
