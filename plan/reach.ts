/** Where a machine answers, and by which key it is known; public facts only. */
export interface Reach {
  host: string;
  port: number;
  user: string;
  hostKey: string;
}
