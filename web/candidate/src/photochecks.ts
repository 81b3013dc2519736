/** The requests about photos, and where they are. */
import type { PhotoCheck, PhotoChecks } from '@shared/api/upload'
import { home } from './api'
import { session } from './session'

const { http } = session

export function photoCheckPath(applicationNo: string, photoId: string): string {
  return `${home(applicationNo)}/photo-checks/${photoId}`
}

export function registrationPhotoPath(applicationNo: string): string {
  return `${home(applicationNo)}/registration-photo`
}

export async function readPhotoChecks(applicationNo: string): Promise<PhotoCheck[]> {
  return (await http.send<PhotoChecks>(`${home(applicationNo)}/photo-checks`)).items
}

export function readPhotoCheck(applicationNo: string, photoId: string): Promise<PhotoCheck> {
  return http.send(photoCheckPath(applicationNo, photoId))
}
