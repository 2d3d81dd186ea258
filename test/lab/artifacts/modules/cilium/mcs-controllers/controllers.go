// Package controllers replaces sigs.k8s.io/mcs-api/controllers, whose module is not served by the Go module proxy; Cilium's operator reads this one constant.
package controllers

// DerivedServiceAnnotation is set on a ServiceImport to name the Service that was derived from it.
const DerivedServiceAnnotation = "multicluster.kubernetes.io/derived-service"
